"""Which network addresses are public; it resolves no name and connects nowhere."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# All that is given out for use between networks; site-local, translated and unassigned addresses lie outside.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_DOCUMENTATION = IPv6Network("3fff::/20")
_PROTOCOLS = IPv4Network("192.0.0.0/24")  # where one cloud answers questions about its machines
# An IPv4 address at the end: compatible, mapped, and behind a translator of the network that we stand in.
_AT_THE_END = (IPv6Network("::/96"), IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
_SIX_TO_FOUR = IPv6Network("2002::/16")
# Servers and clients of Teredo hide two IPv4 addresses, one of them behind somebody's own router.
_TEREDO = IPv6Network("2001::/32")


def is_public(address: str) -> bool:
    """Whether an IP address is one that everybody may reach; private, local, shared and multicast ones are not.

    An IPv6 address that only wraps an IPv4 address is judged by that one. What cannot be judged is not public.
    """
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(known, IPv6Address):
        if (inner := _wrapped(known)) is None:
            is_unicast = known in _GLOBAL_UNICAST and known not in _TEREDO and known not in _DOCUMENTATION
            return is_unicast and known.is_global
        known = inner
    return known.is_global and not known.is_multicast and known not in _PROTOCOLS


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    if any(address in network for network in _AT_THE_END):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour if address in _SIX_TO_FOUR else None
