"""What `validate_inputs` answers, and inputs made from options."""

from __future__ import annotations

from dataclasses import dataclass, fields

from comfy_api.latest import io

from brushwork.base.settings import option
from brushwork.nodes.shared.inputs import check_known, option_input, validation_result


def test_the_first_problem_is_the_answer():
    assert validation_result() is True
    assert validation_result(lambda: check_known("mode", "lerp", ("lerp", "slerp")), lambda: None) is True
    assert validation_result(
        lambda: check_known("mode", "linear", ("lerp", "slerp")), lambda: check_known("ease", "no", ("yes",))
    ) == ("mode is 'linear'; choose one of lerp, slerp.")


def test_a_linked_input_is_not_known_yet():
    assert validation_result(lambda: check_known("mode", None, ("lerp", "slerp"))) is True


def test_options_become_inputs_of_their_kind():
    @dataclass
    class Options:
        count: int = option(3, "How many.", 1, 9)
        share: float = option(0.5, "How much.", 0, 1)

    count, share = (option_input(each, " Or so.") for each in fields(Options))
    assert isinstance(count, io.Int.Input)
    assert isinstance(share, io.Float.Input)
    assert (count.id, count.default, count.min, count.max) == ("count", 3, 1, 9)
    assert share.tooltip == "How much. Or so."
