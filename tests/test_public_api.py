"""What an importer of `brushwork` gets."""

from __future__ import annotations

import subprocess
import sys

import pytest

import brushwork
from brushwork import models

NAMES = {
    "CheckpointError",
    "SteadyVideo",
    "StyleFile",
    "StyleGAN",
    "StyleRegion",
    "interpolate_styles",
    "mix_styles",
    "read_style",
    "write_style",
}


def test_these_names_are_public_and_no_others():
    assert set(brushwork.__all__) == set(models.__all__) == NAMES
    assert set(dir(brushwork)) >= NAMES | {"WEB_DIRECTORY", "comfy_entrypoint"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_they_are_those_of_the_models(name):
    assert getattr(brushwork, name) is getattr(models, name)


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="module 'brushwork' has no attribute 'StyleGan'"):
        brushwork.StyleGan  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Generator'"):
        from brushwork import Generator  # noqa: F401


def test_pytorch_loads_with_the_first_name_that_is_used_and_a_star_brings_all():
    code = (
        "import sys, brushwork; dir(brushwork); hasattr(brushwork, 'NODE_CLASS_MAPPINGS'); "
        "assert not {'torch', 'numpy', 'PIL', 'safetensors'} & set(sys.modules); "
        "from brushwork import StyleGAN, mix_styles; assert 'torch' in sys.modules; "
        "names = {}; exec('from brushwork import *', names); print(*names)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) >= NAMES
