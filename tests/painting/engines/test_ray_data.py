"""Ray Data with jobs at which the process dies: they fail, and all others are painted."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from importlib.util import find_spec

import pytest
from PIL import Image
from ray_machines import make_photos
from tiny_network import TINY

from brushwork.models.style_gan import StyleGAN
from brushwork.painting.folders import PaintResult
from brushwork.painting.jobs import make_jobs
from brushwork.painting.styles import PaintingStyle
from brushwork.painting.stylizer import Stylizer


@dataclass(frozen=True)
class DeadlyStyle(PaintingStyle):
    """A painting at which the process dies, as for lack of memory."""

    def code(self, gan, stroke_size=1.0):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    # Found and not imported: Ray's environment is set before that.
    if not all(find_spec(package) for package in ("ray", "pyarrow", "pandas")):
        pytest.skip("needs the extra ray")
    # Ray gives what it starts a low priority, and the machine may be busy.
    monkeypatch.setenv("RAY_worker_niceness", "0")
    make_photos(tmp_path / "photos", 6)
    for name in ("art.png", "deadly.png"):
        Image.linear_gradient("L").convert("RGB").resize((48, 48)).save(tmp_path / name)
    StyleGAN(TINY).save(tmp_path / "tiny.safetensors")
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_job_that_kills_its_process_fails_and_the_others_are_painted(folder, monkeypatch):
    from brushwork.painting.engines import ray_data

    monkeypatch.setattr(ray_data, "_RETRIES", 0)
    # The deadly one shares its first try with all others.
    monkeypatch.setattr(ray_data, "_share_length", lambda jobs, workers: jobs)
    # Workers do not find this module.
    ray_data.ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    photos = sorted((folder / "photos").iterdir())
    styles = [PaintingStyle(folder / "art.png")] * 5 + [DeadlyStyle(folder / "deadly.png")]
    jobs = make_jobs(photos, styles, folder / "out", pairs="zip")
    stylizer = Stylizer.load(folder / "tiny.safetensors", device="cpu")
    # One worker: it costs seconds of a core to start one, and each dies twice here.
    cluster = ray_data.Cluster(cpus=os.cpu_count() or 1)
    checkpoint = folder / "tiny.safetensors"
    outcomes = list(ray_data.paint_files_on_ray(jobs, stylizer, checkpoint, "cpu", cluster=cluster))
    found = {outcome.job.photo.name: outcome for outcome in outcomes}
    assert len(outcomes) == len(found) == 6
    assert [found[photo.name].result for photo in photos] == [PaintResult.PAINTED] * 5 + [PaintResult.FAILED]
    sentence = found[photos[5].name].sentence
    assert sentence.startswith(f"{photos[5]}: the process that painted it died every time")
    # What a killed process was writing stays hidden until it is old enough to be swept.
    written = sorted(path.name for path in (folder / "out").iterdir() if path.suffix != ".part")
    assert written == sorted(job.target.name for job in jobs[:5])
