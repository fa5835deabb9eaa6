"""An address is public only where everybody may reach it, in whatever form it is written."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from support_agents.domain.addresses import is_public

INSIDE = (
    "10.0.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "224.0.0.1",
    "192.0.0.192",
)
OUTSIDE = ("8.8.8.8", "93.184.216.34")


def wrapped(ipv4: str) -> dict[str, str]:
    """An IPv4 address in each IPv6 form that is judged by it."""
    number = int(IPv4Address(ipv4))
    ends = {"compatible": "::", "mapped": "::ffff:0:0", "translated": "64:ff9b::"}
    forms = {name: int(IPv6Address(prefix)) + number for name, prefix in ends.items()}
    forms["6to4"] = (0x2002 << 112) + (number << 80) + 1
    return {name: str(IPv6Address(form)) for name, form in forms.items()}


@pytest.mark.parametrize("ipv4", INSIDE)
def test_an_inside_address_is_not_public_in_any_form(ipv4: str) -> None:
    assert not is_public(ipv4)
    assert {name for name, form in wrapped(ipv4).items() if is_public(form)} == set()


@pytest.mark.parametrize("ipv4", OUTSIDE)
def test_a_public_address_is_public_in_each_form_that_is_judged_by_it(ipv4: str) -> None:
    assert is_public(ipv4)
    assert {name for name, form in wrapped(ipv4).items() if not is_public(form)} == set()


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("::", id="unspecified"),
        pytest.param("::1", id="loopback"),
        pytest.param("fe80::1%eth0", id="link-local"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("fc00::1", id="unique local"),
        pytest.param("ff0e::1", id="multicast"),
        pytest.param("2001:db8::1", id="documentation"),
        pytest.param("3fff::1", id="documentation, newer"),
        pytest.param("64:ff9b:1::808:808", id="a network's own translator"),
        pytest.param("::ffff:0:808:808", id="translated without a translator that is known"),
        pytest.param("2001:0:808:808::f5ff:fffe", id="Teredo of 10.0.0.1"),
        pytest.param("2001:0:808:808::f7f7:f7f7", id="Teredo of 8.8.8.8"),
        pytest.param("4000::1", id="unassigned"),
        pytest.param("", id="nothing"),
        pytest.param("shop.example", id="a name"),
        pytest.param("010.0.0.1", id="octal"),
        pytest.param("2130706433", id="a number"),
    ],
)
def test_what_is_inside_or_cannot_be_judged_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["2606:4700::1", "2a00:1450:4001:80b::200e"])
def test_an_address_given_out_for_use_between_networks_is_public(address: str) -> None:
    assert is_public(address)
