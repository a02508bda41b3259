"""Where the studio listens, and under which names it answers."""

import socket
from pathlib import Path

import pytest

from dashboards.listening import Listening, StudioError, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST"])
def test_an_address_of_this_computer_alone_is_known(host: str) -> None:
    assert is_loopback(host)
    assert not Listening(host).others_reach_it


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "localhost.example.org", ""])
def test_an_address_that_others_reach_is_known(host: str) -> None:
    assert not is_loopback(host)
    assert Listening(host).others_reach_it


def test_a_name_for_others_means_that_others_reach_it() -> None:
    assert Listening(names=("studio.example.org",)).others_reach_it
    assert not Listening(names=("localhost",)).others_reach_it


def test_it_answers_under_its_own_names_and_those_that_are_given() -> None:
    assert Listening().hosts() == ("localhost", "127.0.0.1", "[::1]")
    assert Listening("192.168.1.5", names=("Studio.example.org",)).hosts()[3:] == ("192.168.1.5", "studio.example.org")
    assert "[2001:db8::1]" in Listening("2001:db8::1").hosts()
    everywhere = Listening("0.0.0.0").hosts()
    assert "0.0.0.0" not in everywhere
    assert socket.gethostname() in everywhere


def test_the_address_to_open_is_told() -> None:
    assert Listening().url(7860) == "http://127.0.0.1:7860"
    assert Listening("::1").url(1) == "http://[::1]:1"
    assert Listening("0.0.0.0", names=("studio.example.org",)).url(2) == "http://studio.example.org:2"
    assert Listening().words() == ""
    assert "unencrypted" in Listening("192.168.1.5").words()


@pytest.mark.parametrize("name", ["", "*", "http://studio", "studio.example.org:80", "a b", "me@studio"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(StudioError, match="--allow-host"):
        Listening(names=(name,))


def test_certificate_and_key_are_tried_before_anything_else(tmp_path: Path) -> None:
    rubbish = tmp_path / "cert.pem"
    rubbish.write_text("rubbish")
    with pytest.raises(StudioError, match="go together"):
        Listening(tls_cert=rubbish)
    for file in (rubbish, tmp_path / "missing.pem"):
        with pytest.raises(StudioError, match="can't be used"):
            Listening(tls_cert=file, tls_key=file)


@pytest.mark.parametrize("host", ["203.0.113.1", "no such host"])
def test_an_address_of_another_computer_is_named(host: str) -> None:
    with pytest.raises(StudioError, match="is no address of this computer"):
        Listening(host, 0).bind()


def test_a_socket_is_bound_to_ipv6_too() -> None:
    try:
        with Listening("::1", 0).bind() as listener:
            assert listener.family == socket.AF_INET6
    except StudioError:
        pytest.skip("this computer has no IPv6")
