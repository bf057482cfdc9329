"""`brushwork train`: flags, and the options that they make."""

from __future__ import annotations

import argparse
from dataclasses import asdict, fields

import pytest

from brushwork.cli.main import main
from brushwork.cli.train import command as train
from brushwork.cli.train.flags import request_from
from brushwork.training.options import MODES, LossWeights, TrainOptions


def options_of(*arguments: str) -> TrainOptions:
    """The options that a command line asks for."""
    parser = argparse.ArgumentParser()
    train.add_parser(parser.add_subparsers())
    args = parser.parse_args(["train", "--style", "art", "--out", "run", *arguments])
    return request_from(args).options()


class TestOptions:
    def test_every_field_has_a_flag_that_changes_it(self) -> None:
        for option in fields(TrainOptions):
            if option.name in ("weights", "mode"):
                continue
            flag = "--" + option.name.replace("_", "-")
            value = {"adversarial": "hinge", "loss_dtype": "bfloat16", "late_from": 0.25}.get(option.name)
            if isinstance(option.default, tuple):
                value = tuple(v + 8 if isinstance(v, int) else v / 2 for v in option.default)
            elif value is None:
                value = option.default * 2 if isinstance(option.default, int) else option.default / 2
                value = value or 1
            if option.name in ("resolution", "late_resolution"):
                value = option.default - 8
            typed = [str(v) for v in (value if isinstance(value, tuple) else (value,))]
            changed = options_of("--mode", "from_scratch", flag, *typed)
            assert asdict(changed) == asdict(TrainOptions()) | {option.name: value}, option.name

    @pytest.mark.parametrize("mode", MODES)
    def test_what_is_not_given_is_the_mode_s_default(self, mode: str) -> None:
        assert options_of("--mode", mode) == TrainOptions.for_mode(mode)

    def test_the_mode_is_fine_tuning_unless_said(self) -> None:
        assert options_of() == TrainOptions.for_mode("fine_tune")

    def test_weights(self) -> None:
        options = options_of("--weight", "style=12", "--weight", "tv=0")
        expected = asdict(TrainOptions.for_mode("fine_tune").weights) | {"style": 12.0, "tv": 0.0}
        assert asdict(options.weights) == expected

    def test_help_explains_every_option_and_weight(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as exit_:
            main(["train", "--help"])
        assert exit_.value.code == 0
        text = " ".join(capsys.readouterr().out.split())
        for option in fields(TrainOptions):
            if option.name != "weights":
                assert option.metadata["text"] in text
        assert all(f"{f.name}: " in text for f in fields(LossWeights))
        assert "style_code 150, fine_tune 300, from_scratch 40000" in text
