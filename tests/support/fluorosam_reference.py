"""FluoroSAM written down plainly from the published table: mmdetection's Swin, CLIP's tower, SAM's decoder."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .fluorosam_checkpoints import Published


@dataclass
class Reference:
    """One image and one prompt at a time, from tensors by their published names."""

    state: dict[str, Tensor]
    sizes: Published

    def linear(self, name: str, x: Tensor) -> Tensor:
        return F.linear(x, self.state[f"{name}.weight"], self.state.get(f"{name}.bias"))

    def norm(self, name: str, x: Tensor, eps: float = 1e-5) -> Tensor:
        mean, var = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, correction=0)
        return (x - mean) / (var + eps).sqrt() * self.state[f"{name}.weight"] + self.state[f"{name}.bias"]

    def norm_2d(self, name: str, x: Tensor, eps: float) -> Tensor:
        return self.norm(name, x.permute(0, 2, 3, 1), eps).permute(0, 3, 1, 2)

    def batch_norm(self, name: str, x: Tensor) -> Tensor:
        s = self.state
        mean, var = (s[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var"))
        weight, bias = (s[f"{name}.{part}"][:, None, None] for part in ("weight", "bias"))
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    def maps(self, images: Tensor) -> list[Tensor]:
        """Outputs of the four stages, (1, C, H, W)."""
        swin = "image_encoder.backbone.swin"
        weight, bias = (self.state[f"{swin}.patch_embed.projection.{part}"] for part in ("weight", "bias"))
        x = self.norm(f"{swin}.patch_embed.norm", F.conv2d(images, weight, bias, stride=4).permute(0, 2, 3, 1))
        outs = []
        for i, depth in enumerate(self.sizes.depths):
            for j in range(depth):
                x = self.block(f"{swin}.stages.{i}.blocks.{j}", x, self.sizes.heads[i], shift=3 * (j % 2))
            outs.append(self.norm(f"{swin}.norm{i}", x).permute(0, 3, 1, 2))
            if i < 3:
                rows, columns = x.shape[1] // 2, x.shape[2] // 2
                merged = F.unfold(x.permute(0, 3, 1, 2), 2, stride=2).transpose(1, 2)
                down = f"{swin}.stages.{i}.downsample"
                x = self.linear(f"{down}.reduction", self.norm(f"{down}.norm", merged)).unflatten(1, (rows, columns))
        return outs

    def block(self, name: str, x: Tensor, heads: int, shift: int) -> Tensor:
        x = x + self.windows(f"{name}.attn.w_msa", self.norm(f"{name}.norm1", x), heads, shift)
        hidden = F.gelu(self.linear(f"{name}.ffn.layers.0.0", self.norm(f"{name}.norm2", x)))
        return x + self.linear(f"{name}.ffn.layers.1", hidden)

    def windows(self, name: str, x: Tensor, heads: int, shift: int) -> Tensor:
        """Attention in 7 x 7 windows of the rolled image; cells that were not neighbours get -100."""
        _, height, width, c = x.shape
        x = x.roll((-shift, -shift), (1, 2))
        region = torch.zeros(height, width)
        edges = [(0, -7), (-7, -shift or None), (-shift, None)] if shift else [(0, None)]
        for a, (top, bottom) in enumerate(edges):
            for b, (left, right) in enumerate(edges):
                region[top:bottom, left:right] = 3 * a + b
        cells = torch.stack(torch.meshgrid(torch.arange(7), torch.arange(7), indexing="ij")).flatten(1)
        offset = cells[:, :, None] - cells[:, None] + 6
        table = self.state[f"{name}.relative_position_bias_table"]
        bias = table[offset[0] * 13 + offset[1]].permute(2, 0, 1)
        out = torch.empty_like(x)
        for row in range(0, height, 7):
            for column in range(0, width, 7):
                window = (slice(None), slice(row, row + 7), slice(column, column + 7))
                y = self.linear(f"{name}.qkv", x[window].reshape(49, c)).reshape(49, 3, heads, -1).permute(1, 2, 0, 3)
                scores = y[0] @ y[1].mT / math.sqrt(c / heads) + bias
                where = region[window[1:]].flatten()
                scores = scores + torch.where(where[:, None] == where[None], 0.0, -100.0)
                mixed = (scores.softmax(-1) @ y[2]).transpose(0, 1).reshape(49, c)
                out[window] = self.linear(f"{name}.proj", mixed).reshape(1, 7, 7, c)
        return out.roll((shift, shift), (1, 2))

    def embedding(self, images: Tensor) -> Tensor:
        """(1, 256, 64, 64) of images (1, 3, 448, 448)."""
        total: Tensor = torch.zeros(1)
        for i, each in enumerate(reversed(self.maps(images))):
            part = f"image_encoder.neck.input_ops.{i}.op_list.0"
            y = self.batch_norm(f"{part}.norm", F.conv2d(each, self.state[f"{part}.conv.weight"]))
            total = total + F.interpolate(y, size=(64, 64), mode="bicubic", align_corners=False)
        for i in range(3):
            main = f"image_encoder.neck.middle.op_list.{i}.main"
            y = F.conv2d(total, self.state[f"{main}.spatial_conv.conv.weight"], padding=1)
            y = F.gelu(self.batch_norm(f"{main}.spatial_conv.norm", y), approximate="tanh")
            y = F.conv2d(y, self.state[f"{main}.point_conv.conv.weight"])
            total = total + self.batch_norm(f"{main}.point_conv.norm", y)
        out = "image_encoder.neck.output_ops.0.op_list.0.conv"
        y = F.conv2d(total, self.state[f"{out}.weight"], self.state[f"{out}.bias"])
        return self.norm_2d("image_encoder.norm", y, 1e-5)

    def text(self, tokens: Tensor) -> Tensor:
        """CLIP's features (D,) of one text's tokens (L,)."""
        name, length = "prompt_encoder.text_model", int(tokens.argmax()) + 1
        heads = self.sizes.text_width // 64
        x = self.state[f"{name}.token_embedding.weight"][tokens[:length]]
        x = x + self.state[f"{name}.positional_embedding"][:length]
        later = torch.full((length, length), -math.inf).triu(1)
        for i in range(self.sizes.text_layers):
            block = f"{name}.transformer.resblocks.{i}"
            weight, bias = (self.state[f"{block}.attn.in_proj_{part}"] for part in ("weight", "bias"))
            q, k, v = F.linear(self.norm(f"{block}.ln_1", x), weight, bias).reshape(length, 3, heads, -1).unbind(1)
            scores = torch.einsum("ihd,jhd->hij", q, k) / math.sqrt(q.shape[-1]) + later
            mixed = torch.einsum("hij,jhd->ihd", scores.softmax(-1), v).flatten(1)
            x = x + self.linear(f"{block}.attn.out_proj", mixed)
            y = self.linear(f"{block}.mlp.c_fc", self.norm(f"{block}.ln_2", x))
            x = x + self.linear(f"{block}.mlp.c_proj", y * torch.sigmoid(1.702 * y))
        return (self.norm(f"{name}.ln_final", x) @ self.state[f"{name}.text_projection"])[-1]

    def text_token(self, features: Tensor) -> Tensor:
        """The code (256,) that the features of a text are rounded to."""
        mlp = "prompt_encoder.clip_mlp.layers"
        y = self.linear(f"{mlp}.1", F.gelu(self.linear(f"{mlp}.0", features)))
        codes = self.state["prompt_encoder.vq._codebook.embed"][0]
        return codes[(codes - y).square().sum(1).argmin()]

    def position(self, shares: Tensor) -> Tensor:
        """Encoding (..., 256) of points in shares of the image."""
        matrix = self.state["prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"]
        angle = (2 * shares.to(matrix) - 1) @ matrix * 2 * math.pi
        return torch.cat([angle.sin(), angle.cos()], -1)

    def tokens(
        self,
        text: Tensor | None = None,
        points: list[tuple[float, float, int]] | None = None,
        box: tuple[float, float, float, float] | None = None,
    ) -> Tensor:
        """Tokens (T, 256) of one prompt; points and box in SAM's pixels, whose centres are whole numbers."""
        enc, found = "prompt_encoder", []
        nothing = self.state[f"{enc}.not_a_point_embed.weight"][0]
        if text is not None:
            found.append(self.text_token(text))
        for x, y, label in points or []:
            shares = (torch.tensor([x, y], dtype=torch.float64) + 0.5) / 448
            found.append(self.position(shares) + self.state[f"{enc}.point_embeddings.{label}.weight"][0])
        if points and box is None:
            found.append(nothing)
        if box is not None:
            corners = self.position((torch.tensor(box, dtype=torch.float64).reshape(2, 2) + 0.5) / 448)
            kinds = [self.state[f"{enc}.point_embeddings.{i}.weight"] for i in (2, 3)]
            found += list(corners + torch.cat(kinds))
        return torch.stack(found) if found else torch.zeros(0, 256)

    def dense(self, mask: Tensor | None) -> Tensor:
        """(256, 64, 64) or (256, 1, 1) of a mask (256, 256)."""
        enc = "prompt_encoder"
        if mask is None:
            return self.state[f"{enc}.no_mask_embed.weight"][0][:, None, None]
        x = mask[None, None]
        for conv, norm in ((0, 1), (3, 4), (6, None)):
            name = f"{enc}.mask_downscaling.{conv}"
            x = F.conv2d(x, self.state[f"{name}.weight"], self.state[f"{name}.bias"], stride=1 if norm is None else 2)
            x = x if norm is None else F.gelu(self.norm_2d(f"{enc}.mask_downscaling.{norm}", x, 1e-6))
        return x[0]

    def attend(self, name: str, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q, k, v = (
            self.linear(f"{name}.{part}_proj", each).reshape(len(each), 8, -1).transpose(0, 1)
            for part, each in zip("qkv", (q, k, v), strict=True)
        )
        mixed = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) @ v
        return self.linear(f"{name}.out_proj", mixed.transpose(0, 1).flatten(1))

    def masks(self, embedding: Tensor, tokens: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits (4, 512, 512) and qualities (4,) of one prompt."""
        dec, grid = "mask_decoder", (torch.arange(64) + 0.5) / 64
        y, x = torch.meshgrid(grid, grid, indexing="ij")
        where = self.position(torch.stack([x, y], -1)).reshape(-1, 256)
        image = (embedding[0] + self.dense(mask)).flatten(1).T
        first = torch.cat([self.state[f"{dec}.{name}.weight"] for name in ("iou_token", "mask_tokens")] + [tokens])
        seen = first
        for i in range(2):
            layer = f"{dec}.transformer.layers.{i}"
            q = seen if i == 0 else seen + first
            told = self.attend(f"{layer}.self_attn", q, q, seen)
            seen = self.norm(f"{layer}.norm1", told if i == 0 else seen + told)
            told = self.attend(f"{layer}.cross_attn_token_to_image", seen + first, image + where, image)
            seen = self.norm(f"{layer}.norm2", seen + told)
            told = self.linear(f"{layer}.mlp.lin2", F.relu(self.linear(f"{layer}.mlp.lin1", seen)))
            seen = self.norm(f"{layer}.norm3", seen + told)
            told = self.attend(f"{layer}.cross_attn_image_to_token", image + where, seen + first, seen)
            image = self.norm(f"{layer}.norm4", image + told)
        told = self.attend(f"{dec}.transformer.final_attn_token_to_image", seen + first, image + where, image)
        seen = self.norm(f"{dec}.transformer.norm_final_attn", seen + told)
        maps = image.T.reshape(1, 256, 64, 64)
        for number, norm in ((0, 1), (3, 4), (6, None)):
            name = f"{dec}.output_upscaling.{number}"
            maps = F.conv_transpose2d(maps, self.state[f"{name}.weight"], self.state[f"{name}.bias"], stride=2)
            maps = F.gelu(maps if norm is None else self.norm_2d(f"{dec}.output_upscaling.{norm}", maps, 1e-6))
        hyper = [self.perceptron(f"{dec}.mask_output_hypernetworks_mlps.{i}", seen[1 + i]) for i in range(4)]
        logits = torch.einsum("kc,chw->khw", torch.stack(hyper), maps[0])
        return logits, self.perceptron(f"{dec}.iou_prediction_head", seen[0])

    def perceptron(self, name: str, x: Tensor) -> Tensor:
        for i in range(2):
            x = F.relu(self.linear(f"{name}.layers.{i}", x))
        return self.linear(f"{name}.layers.2", x)
