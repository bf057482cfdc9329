"""Servers that answer as no ComfyUI server does: no traceback, no broken file, and the others go on."""

from __future__ import annotations

import pytest
from hostile_answers import CASES
from PIL import Image
from stand_in_comfyui import OBJECT_INFO, WORKFLOW, picture_bytes

AT_ONCE = 6
# What a server says about a job itself fails that job; another server need not be asked.
ABOUT_JOBS = (
    "history: an error", "history: an output is", "history: images is", "history: an image ",
    "history: a file whose name is", "history: a folder of",
)  # fmt: skip
# Alike answers of all endpoints at once: those that never end are waited for together.
NAMES = sorted(CASES, key=lambda name: (name.startswith(ABOUT_JOBS), name.partition(": ")[2]))


@pytest.fixture
def many(tmp_path):
    """As many photos as there are hostile servers at once."""
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(AT_ONCE):
        (folder / f"m{i}.png").write_bytes(picture_bytes())
    return folder


@pytest.mark.parametrize("first", range(0, len(NAMES), AT_ONCE))
def test_the_good_server_goes_on(comfy, queue, many, first):
    cases = NAMES[first : first + AT_ONCE]
    servers = [*map(comfy.url, cases), comfy.url(f"good beside {first}")]
    result = queue(*servers, options=["--content", many], patience="30")
    failed = {line["job"] for line in result.lines if line["status"] == "failed"}
    assert "Traceback" not in result.err
    assert all(line.isprintable() and len(line) < 700 for line in result.err.splitlines())
    assert len(failed) + len(result.files) == AT_ONCE
    assert result.code == bool(failed)
    if not any(case.startswith(ABOUT_JOBS) for case in cases):
        assert not failed, result.err


# What a user does, what the server does, and what the user sees: exit code, part of the sentence.
# These rows are data: a document can be made from them.
ALONE = [
    ("an upload that is too large", "upload: 413", 1,
     "failed: p0: p0.png: the server takes no file of 0.0 MB (status 413); start ComfyUI with a larger "
     "--max-upload-size, raise the limit of a proxy before it, or make the picture smaller"),
    ("an upload that a proxy forbids", "upload: login page, status 403", 1,
     "it answers with status 403, it forbids that; look for a login or a rule of the proxy before it"),
    ("a prompt that a proxy refuses", "prompt: 400 of a proxy", 1, "failed: p0: it answers with status 400"),
    ("a proxy whose ComfyUI is away", "prompt: 502", 1, "failed: p0: it answers with status 502, 2 times"),
    ("a server that is overrun", "prompt: 429", 1, "failed: p0: it answers with status 429, 2 times"),
    ("a login page in the place of an answer", "prompt: login page", 1,
     "failed: p0: it does not answer as a ComfyUI server does, 2 times"),
    ("a login page in the place of the server", "object_info: login page", 2,
     "(it does not answer as a ComfyUI server does); start it, or name it with --server."),
    ("a redirect to a login page", "object_info: redirect", 2,
     "(it answers with status 302, which leads to another address, such as a login page; give --server the "
     "right one)"),
    ("a server that wants a password", "object_info: 401", 2,
     "(it answers with status 401; give the name and the password in the address: "
     "http://NAME:PASSWORD@HOST:PORT)"),
    ("a server that never answers", "object_info: silent", 2, "There is no ComfyUI server at http://127.0.0.1:"),
    ("an answer that does not end", "object_info: drips", 2, "(it does not finish its answer within"),
    ("an answer of endless length", "object_info: floods", 2, "(its answer is longer than 4 MB)"),
    ("an answer that is compressed twice", "object_info: gzip in gzip", 2,
     "(its answer is compressed as 'gzip, gzip', and only gzip or deflate is read)"),
    ("a server that hangs up", "object_info: closed", 2,
     "(Server disconnected without sending a response; perhaps its address begins with https://)"),
    ("a server whose queue is a login page", "queue: login page", 2,
     "no server has answered for 1 s, last: it does not answer as a ComfyUI server does."),
    ("a workflow that the server cannot run", "prompt: 400, the workflow", 2,
     "refuses the workflow: node 2 (SaveImage): bad: x."),
    ("a prompt that the server forgets", "history: no entry, ever", 1,
     "failed: p0: the server accepts it and then does not know it, 2 times"),
    ("a history of another form", "history: outputs is null", 1,
     "failed: p0: its history has another form than ComfyUI's, 2 times"),
    ("a result that is a web page", "view: login page as a picture", 1,
     "failed: p0: its result painted_p0_00001_.png is a page or a message, not a picture, 2 times"),
    ("a result that is empty", "view: empty", 1, "its result painted_p0_00001_.png is empty"),
    ("a result that is cut off", "view: a cut PNG", 1,
     "its result painted_p0_00001_.png is no picture that can be decoded ("),
    ("a result that is PostScript", "view: PostScript", 1, "(its content is of no known format)"),
    ("a result of 900 million pixels", "view: a bomb", 1, "has 30000 x 30000 pixels, more than 268 million"),
    ("a result of endless length", "view: floods with a picture", 1, "its answer is longer than 3 MB"),
    ("a result that does not end", "view: drips after a picture", 1, "it does not finish its answer within"),
    ("a result that is gone", "view: 404", 1,
     "_try2_00001_.png any more, 2 times"),
    ("an error with control characters", "history: an error with control characters", 1,
     r"failed: p0: \ud800 failed: \x1b[2J\x07\u202egood"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "case", "code", "sentence"), ALONE, ids=[row[0] for row in ALONE])
def test_what_the_user_sees(comfy, queue, photos, what, case, code, sentence):
    # A result that does not end costs a second each time, and more for each photo.
    drips = case.startswith("view: drips")
    options = ["--content", photos / "p0.png"] if drips else []
    result = queue(comfy.url(case), options=options, retries=0 if drips else 1)
    assert result.code == code
    assert sentence in result.err
    assert "Traceback" not in result.err
    assert result.files == []


@pytest.mark.parametrize(
    ("case", "ending", "kind"),
    [("view: a JPEG", ".jpg", "JPEG"), ("view: a WebP", ".webp", "WEBP"), ("good", ".png", "PNG")],
)
def test_the_ending_is_that_of_the_content(comfy, queue, case, ending, kind):
    result = queue(comfy.url(case))
    assert result.files == [f"p{i}{ending}" for i in range(3)]
    with Image.open(result.folder / result.files[0]) as picture:
        assert picture.format == kind


def test_a_film_keeps_its_ending(comfy, queue):
    film = {"3": {"class_type": "SaveVideo", "inputs": {"images": ["1", 0], "filename_prefix": "film"}}}
    assert queue(comfy.url("good films"), workflow=WORKFLOW | film).files == [
        name for i in range(3) for name in (f"p{i}.png", f"p{i}~2.mp4")
    ]


def test_a_picture_that_is_too_large_is_sent_once(comfy, queue, photos):
    """It was sent 344 times in 20 s. Three styles are three jobs with the same photo."""
    case = "upload: 413"
    before = comfy.states[case].requests["upload"]
    result = queue(comfy.url(case), retries=3)
    assert result.code == 1
    assert "3 failed" in result.err
    assert comfy.states[case].requests["upload"] - before == 3


@pytest.mark.parametrize("case", ["upload: 502", "prompt: 500", "prompt: 429"])
def test_a_server_error_counts_retries(comfy, queue, case):
    endpoint = case.partition(":")[0]
    before = comfy.states[case].requests[endpoint]
    result = queue(comfy.url(case), retries=2)
    assert result.code == 1
    assert comfy.states[case].requests[endpoint] - before == 3 * 3
    assert [line["error"][-9:] for line in result.lines] == [", 3 times"] * 3


def test_a_server_without_the_nodes_is_left_out(comfy, queue):
    """The first one lacks them; it may even answer first."""
    comfy.cases["lacks nodes"] = {
        "object_info": CASES["object_info: the loader is null"]["object_info"],
        "prompt": CASES["prompt: 400, the workflow"]["prompt"],
    }
    result = queue(comfy.url("lacks nodes"), comfy.url("good beside it"))
    assert (result.code, len(result.files)) == (0, 3)
    assert (
        "refuses the workflow: node 2 (SaveImage): bad: x; the other servers go on without it." in result.err
    )


def test_the_nodes_that_are_missing_are_named(comfy, queue):
    workflow = WORKFLOW | {"9": {"class_type": "Sharpen" * 99, "inputs": {}}}
    result = queue(comfy.url("good"), workflow=workflow)
    assert result.code == 2
    assert "The server has no node SharpenSharpen" in result.err
    assert len(result.err) < 250


SECRETS = ["hunter2secret", "p%40ss%2Fword", "p@ss/word", "tokentoken", "aHVudGVy"]


@pytest.mark.parametrize(
    ("user", "case"),
    [
        *((user, "good") for user in ("me:hunter2secret", "me:p%40ss%2Fword", "hunter2secret")),
        ("me:p%40ss%2Fword", "prompt: 401"),
        *(
            ("me:hunter2secret", case)
            for case in ("upload: 502", "queue: 401", "queue: closed", "object_info: 401")
        ),
    ],
)
def test_passwords_appear_nowhere(comfy, queue, user, case, caplog):
    caplog.set_level("DEBUG")
    result = queue(comfy.url(case, user) + "/?token=tokentoken")
    shown = result.out + result.err + caplog.text
    shown += "".join(path.read_text(errors="replace") for path in result.folder.glob("*.jsonl"))
    assert not [secret for secret in SECRETS if secret in shown]
    # And yet they are sent.
    sent = comfy.states[case].headers[-1]
    assert sent["Authorization"].startswith("Basic ")
    assert "token=tokentoken" in sent["path"]


def test_a_server_that_repeats_the_password(comfy, queue):
    async def repeat(request, state):
        from aiohttp import web

        text = f"no {request.headers['Authorization']} {request.query_string} hunter2secret"
        return web.json_response({"error": {"message": text}, "node_errors": {}}, status=400)

    comfy.cases["repeats"] = {"prompt": repeat}
    result = queue(comfy.url("repeats", "me:hunter2secret") + "/?token=tokentoken")
    assert result.code == 2
    assert "refuses the workflow: no Basic … token=… …" in result.err


BAD_ADDRESSES = [
    ("ftp://127.0.0.1", "--server ftp://127.0.0.1 is no address; give one like http://127.0.0.1:8188."),
    ("http://", "is no address"),
    ("http://[::1", "is no address"),
    ("http://a b", "is no address"),
    ("http://127.0.0.1:99999", "is no address"),
    ("http://me:hunter2secret@", "(not shown, it may hold a password) is no address"),
    ("http://me:hunter2/secret@127.0.0.1", "(not shown, it may hold a password)"),
    ("http://me:12/hunter2secret@127.0.0.1", "as %2F %3F %23 and %40."),
    ("http://me:pw#hunter2secret@127.0.0.1", "(not shown, it may hold a password)"),
    ("ftp://127.0.0.1/?token=hunter2secret", "(not shown, it may hold a password) is no address"),
]


@pytest.mark.parametrize(("address", "sentence"), BAD_ADDRESSES, ids=[row[0] for row in BAD_ADDRESSES])
def test_addresses(queue, address, sentence):
    result = queue(address)
    assert result.code == 2
    assert sentence in result.err
    assert "secret" not in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("proxy", ["gopher://me:hunter2secret@127.0.0.1", "socks9://x"])
def test_a_proxy_that_is_no_address(queue, monkeypatch, proxy):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    result = queue("http://comfyui.invalid")
    assert result.code == 2
    assert "comfyui.invalid cannot be asked: a proxy in the environment" in result.err
    assert "hunter2" not in result.err


def test_usage_does_not_repeat_a_password(queue):
    for options in (["--sevrer", "http://me:hunter2secret@a"], ["--sevrer=http://me:hunter2secret@a"]):
        said = queue(options=options).err
        assert said == "brushwork queue: there is no option --sevrer; did you mean --server?\n"


@pytest.mark.parametrize(
    "option", ["--retries=-1", "--patience=nan", "--transfer-timeout=-1", "--max-download-size=0"]
)
def test_numbers_that_make_no_sense(queue, option):
    result = queue(options=[option])
    assert result.code == 2
    assert result.err.startswith(f"brushwork queue: {option.replace('=', ' is ')}; give a ")


def test_the_server_lists_few_nodes():
    """The workflow of these tests needs no more: a case that leaves one out must be seen."""
    assert {node["class_type"] for node in WORKFLOW.values()} <= OBJECT_INFO.keys()
