"""Targets: what people write for a control, an axis beyond a threshold, or any of several."""

import pytest

from rushes.errors import BadInputError, BadNameError
from rushes.model.targets import Part, Target, parse_targets


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("KeyW", ["KeyW"]),
        ("w", ["KeyW"]),
        (" W ", ["KeyW"]),
        ("lmb", ["MouseLeft"]),
        ("ALE/FIRE", ["ALE/FIRE"]),
        ("Jump/JUMP", ["Jump/JUMP"]),
        ("shift", ["ShiftLeft|ShiftRight"]),
        ("Space|KeyW|SOUTH", ["Space|KeyW|SOUTH"]),
        ("w|KeyW| w", ["KeyW"]),
        ("J_LEFT_X>0.5", ["J_LEFT_X>0.5"]),
        ("J_LEFT_Y < -0.5", ["J_LEFT_Y<-0.5"]),
        ("RIGHT_TRIGGER", ["RIGHT_TRIGGER"]),
        ("RIGHT_TRIGGER>0.2", ["RIGHT_TRIGGER>0.2"]),
        ("w, space", ["KeyW", "Space"]),
        ("w,,w,", ["KeyW"]),
        ("0>0.5", ["0>0.5"]),
        ("7", ["Digit7"]),
        ("1<1e-3|0>.5", ["1<0.001|0>0.5"]),
        (["w", "a,d"], ["KeyW", "KeyA", "KeyD"]),
    ],
)
def test_what_is_written_is_read(written, expected):
    assert [str(target) for target in parse_targets(written)] == expected


def test_what_is_shown_reads_again():
    for target in parse_targets("shift|J_LEFT_X>0.5, RIGHT_TRIGGER, 3<-0.25"):
        assert parse_targets(str(target)) == (target,)


@pytest.mark.parametrize(
    ("written", "kind", "match"),
    [
        ("", BadInputError, "controls=''"),
        (" , ", BadInputError, "controls="),
        ([], BadInputError, "controls="),
        ("J_LEFT_X", BadInputError, "J_LEFT_X>0.5"),
        ("MouseDX", BadInputError, "no button"),
        ("w|", BadNameError, "control ''"),
        ("spac", BadNameError, "space"),
        ("J_LEFT_X>high", BadInputError, "a number"),
        ("J_LEFT_X>nan", BadInputError, "a number"),
        ("J_LEFT_X>inf", BadInputError, "a number"),
        ("w>0.5", BadNameError, "leave the threshold out"),
        ("MouseDX>5", BadNameError, "threshold of 'MouseDX'"),
        ("J_LEFT_X>0.1>0.2", BadNameError, "control"),
    ],
)
def test_what_means_nothing_is_refused_with_what_to_write(written, kind, match):
    with pytest.raises(kind, match=match):
        parse_targets(written)


@pytest.mark.parametrize(
    ("written", "mirrored"),
    [
        ("a", "KeyD"),
        ("w", "KeyW"),
        ("J_LEFT_X>0.5", "J_LEFT_X<-0.5"),
        ("J_LEFT_Y<-0.5", "J_LEFT_Y<-0.5"),
        ("RIGHT_TRIGGER>0.2", "RIGHT_TRIGGER>0.2"),
        ("DPAD_LEFT|a", "DPAD_RIGHT|KeyD"),
        ("ArrowRight", "ArrowLeft"),
    ],
)
def test_a_target_knows_what_means_the_same_in_the_mirrored_picture(written, mirrored):
    (target,) = parse_targets(written)
    assert str(target.mirror()) == mirrored
    assert target.mirror().mirror() == target


def test_a_part_mirrors_by_the_sign_that_it_is_given():
    part = Part("0", ">", 0.5)
    assert part.mirror("0", -1) == Part("0", "<", -0.5)
    assert part.mirror("1", 1) == Part("1", ">", 0.5)
    assert str(Target((part, Part("KeyW")))) == "0>0.5|KeyW"
