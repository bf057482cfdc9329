"""The bundle: two encoders, the generator and the space of style codes in one object."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ..base.choices import PSI
from ..base.excerpt import value_excerpt
from ..base.seeds import check_seed
from ..base.settings import as_list, check_number, check_type, is_whole
from ..base.shipped import DEFAULT_CHECKPOINT
from ..pictures.values import checked_pictures
from .batches import repeated
from .coded_colors import COLOR_NUMBERS, CodedColors
from .codes import MOST_STYLES, checked_code, lerp
from .config import StyleGANConfig
from .content_encoder import ContentCode, ContentEncoder
from .devices import own_defaults
from .generator import Generator
from .grid import checked_corner, grid_corner
from .network_file import read_network, write_network
from .noise import Noise, PlacedNoise
from .passes import ForwardPass, Frozen, fitting_pass
from .quantization import unquantized
from .regions import StyleRegion, paint_regions, paired_batch
from .style_encoder import StyleEncoder
from .style_reading import STYLE_SIZE, at_reading_size
from .style_space import StyleSpace


class StyleGAN(nn.Module):
    """A style-transfer GAN (not NVIDIA's face generator): paint a photo in the style of a picture.

    Pictures are [B,3,H,W], RGB in 0..1, of floating point; style codes [B,L,D]. They are computed in the
    type of the weights, float32 or float64. Values outside 0..1 are clamped, and one that is not finite
    raises ValueError with the number of its picture. `training_record` is what the checkpoint's header says
    about how the weights came to be.
    """

    @own_defaults(keep_autocast=True)
    def __init__(self, config: StyleGANConfig | None = None):
        super().__init__()
        config = StyleGANConfig() if config is None else config
        check_type("config", config, StyleGANConfig)
        self.config = config
        self.training_record: dict[str, Any] = {}
        self.space: StyleSpace | None = None
        # The encoders. Each layer of the generator takes its own resolution's statistics, those at 1/4 are 0,
        # at 1/8 1 and at 1/16 2; there are none at 1/32.
        at_32, at_16, at_8, at_4 = config.levels
        self.content_encoder = ContentEncoder(
            config.fine_channels, config.coarse_channels, config.wide_channels
        )
        self.style_encoder = StyleEncoder(
            config.fine_channels,
            config.coarse_channels,
            config.code_dim,
            levels=(2,) * (at_32 + at_16) + (1,) * at_8 + (0,) * at_4,
            hidden=config.mapping_hidden,
            covariance_channels=config.covariance_channels,
            covariance_hidden=config.covariance_hidden,
        )
        # The generator, and the order of all weights in memory.
        self.generator = Generator(
            config.fine_channels,
            config.coarse_channels,
            config.wide_channels,
            config.code_dim,
            config.fine_blocks,
            config.coarse_blocks,
            config.wide_blocks,
            config.kernels,
            config.wide_kernels,
        )
        if config.color_numbers:
            self.generator.colors = CodedColors(config.code_dim)
        self.to(memory_format=torch.channels_last)

    @classmethod
    def default(cls) -> StyleGAN:
        """The network that ships with Brushwork."""
        return cls.load(DEFAULT_CHECKPOINT)

    @classmethod
    @own_defaults(keep_autocast=True)
    def load(cls, path: str | os.PathLike[str]) -> StyleGAN:
        """Read a checkpoint, on the CPU, in eval mode, its parameters frozen.

        Raises CheckpointError, one sentence, if the file is not a whole Brushwork checkpoint.
        """
        return read_network(path, cls)

    def save(
        self,
        path: str | os.PathLike[str],
        extra: dict[str, Any] | None = None,
        dtype: torch.dtype = torch.float16,
    ) -> None:
        """Write the network to one safetensors file, whole or not at all.

        `extra` entries (JSON values) join the header beside the config, the training record and the
        description of the style space.
        """
        write_network(self, path, extra or {}, dtype)

    def set_colors(self, colors: CodedColors | None) -> None:
        """Paint with these colours for a style code from now on, or with those that the generator happens to
        paint.

        Raises ValueError for colours that were fitted to another network's codes.
        """
        if colors is not None:
            check_type("colors", colors, CodedColors)
            if colors.weight.shape[1] != self.config.code_dim:
                raise ValueError(
                    f"The colours read {colors.weight.shape[1]} numbers and this network's codes have "
                    f"{self.config.code_dim} in a layer; fit the colours to its own codes."
                )
        self.generator.colors = colors
        self.config = replace(self.config, color_numbers=0 if colors is None else COLOR_NUMBERS)

    @property
    def normalized(self) -> tuple[str, ...]:
        """The names of all normalisations; recorded statistics go by these names."""
        return (*self.content_encoder.normalized, *self.generator.normalized)

    @own_defaults(keep_autocast=True)
    def encode_content(
        self, image: Tensor, how: ForwardPass | None = None, corner: Tensor | None = None
    ) -> ContentCode:
        """image [B,3,H,W] in 0..1 -> what is in it and where. Any H and W from 1 up.

        Each picture decides where its pixel grid lies (`grid_corner`), so that a photo that is shifted or
        cropped keeps its strokes. With `corner` [1,2] the grid of all lies there: in a video, things that
        come and go would move it. Without `how` the pass is `fitting_pass`.
        """
        image = checked_pictures(image, "The content picture", self.working_dtype())
        corner = grid_corner(image) if corner is None else checked_corner(corner, len(image))
        encoder = self.content_encoder
        smooth = unquantized(image)
        content: ContentCode = encoder(smooth, how or fitting_pass(encoder, smooth), corner)
        return replace(content, image=image)

    @own_defaults(keep_autocast=True)
    def encode_style(
        self,
        image: Tensor,
        size: int | None = STYLE_SIZE,
        stroke_size: float = 1.0,
        how: ForwardPass | None = None,
    ) -> Tensor:
        """image [B,3,h,w] in 0..1 -> style code [B,L,D].

        The picture is read at `style_reading_size`, so many times larger as `stroke_size` says: its strokes
        are larger to the network. The network paints them fewer and softer; for strokes that are broader by
        that much, paint at another size (`models/stroke_size.py`). Without `how` the pass is `fitting_pass`.
        Raises ValueError for a `stroke_size` outside 0.25..4.
        """
        image = checked_pictures(image, "The style picture", self.working_dtype())
        image = at_reading_size(image, size, stroke_size)
        encoder = self.style_encoder
        code: Tensor = encoder(image, how or fitting_pass(encoder, image))
        return code

    @own_defaults()
    def sample_style(self, seed: int, count: int = 1, psi: float = PSI) -> Tensor:
        """`count` random codes [count,L,D], like those of the training art; no picture needed.

        psi 0 gives a typical style, another one for every seed; 1 gives the full variety (truncation).
        Raises ValueError for a count below 1 or above a million, a seed that is none, psi outside 0..2, or a
        checkpoint without a style space.
        """
        if self.space is None:
            raise ValueError("This checkpoint stores no style distribution; encode a picture instead.")
        if not is_whole(count) or count < 1:
            raise ValueError(f"count is {value_excerpt(count)}; ask for 1 style or more.")
        if count > MOST_STYLES:
            raise ValueError(f"count is {value_excerpt(count)}; ask for {MOST_STYLES:,} styles at most.")
        check_seed(seed)
        check_number("psi", psi, 0, 2)
        return self.space.sample(seed, count, psi, self.config.layers)

    @own_defaults(keep_autocast=True)
    def generate(
        self,
        content: ContentCode,
        code: Tensor,
        strength: float = 1.0,
        seed: int = 0,
        regions: Sequence[StyleRegion] = (),
        how: ForwardPass | None = None,
        own: Tensor | None = None,
        noise: Noise | None = None,
    ) -> Tensor:
        """Paint `content` in the style `code` [B,L,D]: [B,3,H,W] in 0..1, the content's H and W.

        One code paints B contents, one content takes B codes, or both hold B. `strength` 0 is the
        photo, 1 the full style. In between, the code moves from the photo's own style code to the
        painting's, and the parts of the photo that the network cannot reproduce fade out:
        (1 - s) photo + s G(content, lerp(own, code, s)). The `seed` chooses the brush strokes: the same seed
        gives the same picture, another one other strokes on the same motif. Every picture of a batch is
        painted as it would be alone. The `regions` cover `code` where their masks say,
        each one over those before it (`models/regions.py`), still in one pass. Frames of a video
        share the statistics of a frozen pass, and `own` [1,L,D] in place of each photo's own code. `noise`
        replaces that of `seed`: for seeds of their own in a batch, crops that keep the strokes of their
        picture, and videos. Without `how` the pass is `fitting_pass`. Codes and masks may be on any device:
        they go to that of the content.

        Raises ValueError for batches that do not match, another network's code, masks that are not finite or
        not [M,h,w], a strength outside 0..1, a seed that is not a whole number from 0 to 2**64 - 1, or
        regions where gradients are wanted.
        """
        # Do the inputs fit each other?
        dtype = self.working_dtype()
        if not isinstance(content, ContentCode):
            raise ValueError(
                f"The content is of the type {type(content).__name__}; give what encode_content returns."
            )
        device = content.image.device
        code = checked_code(code).to(device, dtype)
        regions = [region.checked(dtype).to(device) for region in as_list(regions, StyleRegion, "regions")]
        own = None if own is None else checked_code(own, "The photo's own style code").to(device, dtype)
        batch = paired_batch(content.batch, code, regions, "The content and the styles")
        for each in (code, *(region.code for region in regions)):
            self._check_code(each)
        check_number("strength", strength, 0, 1)
        noise = noise or PlacedNoise((seed,))
        how = how or fitting_pass(self, *content.maps.values(), code)
        if regions and not isinstance(how, Frozen):
            raise ValueError(
                "Several styles in one picture have no gradients; freeze the network, or paint under "
                "torch.no_grad()."
            )

        # Below full strength the codes move towards the photo's own.
        photo = repeated(content.image, batch)
        if strength == 0:
            return photo.clamp(0, 1)
        if strength < 1:
            own = self.encode_style(content.image, how=how) if own is None else own
            code = lerp(own, code, strength)
            regions = [region.weakened(own, strength) for region in regions]

        # Paint, cut the border off, and mix with the photo. One style stays one: its kernels are merged once.
        content = content.expand(batch)
        if regions and isinstance(how, Frozen):
            under = repeated(code, batch)
            painted = paint_regions(self.content_encoder, self.generator, content, under, regions, how, noise)
        else:
            painted = self.generator(content, code, how, noise)
        painted = content.cut(painted).clamp(0, 1)
        return painted if strength == 1 else lerp(photo, painted, strength)

    def working_dtype(self) -> torch.dtype:
        """The type of the weights, to which pictures are brought.

        Raises ValueError, one sentence, for a type in which the network cannot paint.
        """
        dtype = next(self.parameters()).dtype
        if dtype.itemsize < 4:
            raise ValueError(
                f"The network's weights are {dtype}; paint with gan.float(), and under torch.autocast if it "
                "is to be faster."
            )
        return dtype

    def _check_code(self, code: Tensor) -> None:
        expected = (self.config.layers, self.config.code_dim)
        if tuple(code.shape[1:]) != expected:
            raise ValueError(
                f"The style code is {tuple(code.shape[1:])} and this network takes {expected}; "
                "encode the style with the same checkpoint."
            )

    def stylize(
        self, content_image: Tensor, style_image: Tensor, strength: float = 1.0, seed: int = 0
    ) -> Tensor:
        """Both steps at once: content [B,3,H,W], style [B or 1,3,h,w] -> [B,3,H,W] in 0..1."""
        content, code = self.encode_content(content_image), self.encode_style(style_image)
        return self.generate(content, code, strength, seed)
