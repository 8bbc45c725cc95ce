# Made by tools/make_stubs.py from the table in __init__.py.
from .embed_xrays import (
    EmbeddedXrays as EmbeddedXrays,
    embed as embed,
)
from .identity import backbone_digest as backbone_digest
from .network_inputs import (
    InputBatch as InputBatch,
    input_batches as input_batches,
)
from .settings import (
    BackboneRunSettings as BackboneRunSettings,
    EmbedSettings as EmbedSettings,
    XraySourceSettings as XraySourceSettings,
)
from .table import (
    Embeddings as Embeddings,
    read_embeddings as read_embeddings,
    write_embeddings as write_embeddings,
)
