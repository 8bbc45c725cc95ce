"""X-ray backbones learned without labels, and three probes that tell what they know.

The names of a first page; each folder exports the rest of its own. All load on first use, so that `import xraykit.dax`
stays free of torch.
"""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {},
)
