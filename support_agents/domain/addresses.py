"""Which network addresses are public; it resolves no name and connects nowhere."""

import ipaddress


def is_public(address: str) -> bool:
    """Whether an IP address is one that everybody may reach; private, local, shared and multicast ones are not."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None
    return (mapped or known).is_global and not (mapped or known).is_multicast
