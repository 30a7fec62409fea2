"""A folder is pushed to a new repository of the hub, private unless told otherwise, or one line says why not."""

import pytest

from optical.errors import ConfigError, DataError, ResourceError
from optical.fetch.publish import check_push, push_folder
from support.hub import forget_client, use_hub
from support.local_server import COMMITTED, READ_TOKEN, TOKEN, serving

ID = "someone/optical-sw"
FILES = {
    "README.md": b"---\nlanguage: sw\n---\n# Card",
    "query/model.safetensors": b"\0" * 1000,
    ".checksums.json": b"{}",
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / "export" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "export" / name).write_bytes(content)
    return tmp_path / "export"


@pytest.fixture
def server(tmp_path, monkeypatch):
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as server:
        use_hub(monkeypatch, server.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        yield server
        forget_client(monkeypatch)


def pushed(server):
    there = server.folder / ID / COMMITTED
    return {str(path.relative_to(there)): path.read_bytes() for path in there.rglob("*") if path.is_file()}


@pytest.mark.parametrize("public", [False, True])
def test_files_arrive_as_they_are_in_a_repository_of_the_visibility_asked_for(server, folder, public):
    assert push_folder(folder, ID, public) == f"{server.address}/{ID}"
    assert server.private == {ID: not public}
    wanted = {name: content for name, content in FILES.items() if not name.startswith(".")}
    assert pushed(server) == wanted | {".gitattributes": b""}
    assert len(server.large) == 1, "weights go through Git LFS"


def test_a_repository_with_files_is_never_written_to(server, folder):
    push_folder(folder, ID)
    before = pushed(server)
    (folder / "README.md").write_bytes(b"another")
    with pytest.raises(DataError, match="already has files") as caught:
        push_folder(folder, ID)
    assert ID in str(caught.value) and "\n" not in str(caught.value)
    assert pushed(server) == before


def test_an_empty_repository_is_used_only_with_the_visibility_asked_for(server, folder):
    (server.folder / ID / COMMITTED).mkdir(parents=True)
    server.private[ID] = False
    with pytest.raises(DataError, match="already there, and public"):
        push_folder(folder, ID)
    push_folder(folder, ID, public=True)
    assert "README.md" in pushed(server)


@pytest.mark.parametrize(("token", "what"), [("hf_wrong", "does not accept the token"), (READ_TOKEN, "cannot write")])
def test_a_token_without_the_right_is_said_in_one_line(server, folder, monkeypatch, token, what):
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(ResourceError, match=what) as caught:
        push_folder(folder, ID)
    assert "HF_TOKEN" in str(caught.value) and "\n" not in str(caught.value)
    assert token not in str(caught.value)


def test_without_a_network_the_line_says_how_to_try_again(folder, monkeypatch, tmp_path):
    with serving(tmp_path) as gone:
        use_hub(monkeypatch, gone.address)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(ResourceError, match="cannot push") as caught:
        push_folder(folder, ID)
    assert f"hf upload {ID} {folder} --private" in str(caught.value) and "\n" not in str(caught.value)
    forget_client(monkeypatch)


def test_names_and_missing_tokens_are_refused_before_anything_is_done(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    forget_client(monkeypatch)
    with pytest.raises(ResourceError, match="no token for the hub"):
        check_push(ID)
    for name in ("sw", "a/b/c", "../x", 'me/"x', "me/"):
        with pytest.raises(ConfigError, match="not the name of a repository"):
            check_push(name)
    forget_client(monkeypatch)
