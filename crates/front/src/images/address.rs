//! Which addresses are public: those that anybody on the internet could ask as well. Whatever else there is, the
//! gateway may reach and its clients may not, so that fetching it for them would open what is closed.
//!
//! The ranges are those of the IANA registries of special-purpose addresses (RFC 6890 and its successors).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// First address and length of the prefix.
type Net4 = ([u8; 4], u32);
type Net6 = ([u16; 8], u32);

/// Not public in IPv4.
const CLOSED4: [Net4; 18] = [
    ([0, 0, 0, 0], 8),        // this network, and on many systems this machine
    ([10, 0, 0, 0], 8),       // private
    ([100, 64, 0, 0], 10),    // shared by a carrier's customers
    ([127, 0, 0, 0], 8),      // loopback
    ([168, 63, 129, 16], 32), // Azure's own services to its machines, public only by its looks
    ([169, 254, 0, 0], 16),   // link-local, and the metadata of cloud machines
    ([172, 16, 0, 0], 12),    // private
    ([192, 0, 0, 0], 24),     // protocol assignments, and Oracle's metadata
    ([192, 0, 2, 0], 24),     // documentation
    ([192, 31, 196, 0], 24),  // answered by whoever is nearest
    ([192, 52, 193, 0], 24),  // relays of multicast, likewise
    ([192, 88, 99, 0], 24),   // relays of 6to4, likewise
    ([192, 168, 0, 0], 16),   // private
    ([192, 175, 48, 0], 24),  // answered by whoever is nearest
    ([198, 18, 0, 0], 15),    // benchmarks
    ([198, 51, 100, 0], 24),  // documentation
    ([203, 0, 113, 0], 24),   // documentation
    ([224, 0, 0, 0], 3),      // multicast, reserved, broadcast
];

/// What of IPv6 may be public at all: global unicast. Loopback, unique-local, link-local, site-local, multicast and
/// addresses that hold one of IPv4 are outside.
const OPEN6: Net6 = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Not public within it.
const CLOSED6: [Net6; 6] = [
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // protocol assignments: Teredo, benchmarks, ORCHID
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), // 6to4: tunnels to an address of IPv4; nobody serves there any more
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), // answered by whoever is nearest
    ([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16), // a test network, given back
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), // documentation
];

/// Translated to the IPv4 address in the last 32 bits, on networks that have IPv6 alone.
const NAT64: Net6 = ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

/// Whether an address is public.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public4(address),
        IpAddr::V6(address) => is_public6(address),
    }
}

fn is_public4(address: Ipv4Addr) -> bool {
    let within = |(net, length): Net4| {
        let rest = u32::BITS - length;
        u32::from(address) >> rest == u32::from(Ipv4Addr::from(net)) >> rest
    };
    !CLOSED4.into_iter().any(within)
}

fn is_public6(address: Ipv6Addr) -> bool {
    let within = |(net, length): Net6| {
        let rest = u128::BITS - length;
        u128::from(address) >> rest == u128::from(Ipv6Addr::from(net)) >> rest
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public4(mapped);
    }
    if within(NAT64) {
        return is_public4(Ipv4Addr::from(u128::from(address) as u32));
    }
    within(OPEN6) && !CLOSED6.into_iter().any(within)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::is_public;

    fn public(text: &str) -> bool {
        is_public(text.parse::<IpAddr>().unwrap_or_else(|_| panic!("an address: {text}")))
    }

    /// The first and the last address of each range, and those next to it that are public.
    #[test]
    fn no_class_of_closed_addresses_is_public() {
        let closed = [
            ("this network", "0.0.0.0 0.0.0.1 0.255.255.255 ::"),
            ("loopback", "127.0.0.1 127.255.255.255 ::1"),
            ("private", "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255"),
            ("carrier", "100.64.0.0 100.100.100.200 100.127.255.255"),
            ("link-local", "169.254.0.0 169.254.169.254 169.254.255.255 fe80::1 febf:ffff::1"),
            ("clouds' own", "168.63.129.16 192.0.0.192 fd00:ec2::254 169.254.170.2"),
            ("assignments", "192.0.0.0 192.0.0.255 192.88.99.1 192.31.196.1 192.52.193.1 192.175.48.1"),
            (
                "documentation",
                "192.0.2.1 198.51.100.255 203.0.113.0 2001:db8::1 2001:db8:ffff::1 3fff:fff::1",
            ),
            ("benchmarks", "198.18.0.0 198.19.255.255 2001:2::1"),
            ("multicast", "224.0.0.1 239.255.255.255 ff02::1 ff0e::1"),
            ("reserved", "240.0.0.1 255.255.255.254"),
            ("broadcast", "255.255.255.255"),
            ("unique-local", "fc00::1 fdff:ffff::1"),
            ("site-local", "fec0::1 feff::1"),
            ("mapped", "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0"),
            ("compatible", "::127.0.0.1 ::8.8.8.8"),
            ("translated", "64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 64:ff9b:1::808:808"),
            ("6to4", "2002:7f00:1::1 2002:a00:1::1 2002:a9fe:a9fe::1 2002:808:808::1"),
            ("Teredo", "2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:0:7f00:1::1"),
            ("ORCHID", "2001:10::1 2001:20::1 2001:1ff:ffff::1"),
            ("given back", "3ffe::1"),
            ("unassigned", "100::1 200::1 1fff::1 4000::1 5f00::1 8000::1"),
        ];
        for (class, addresses) in closed {
            for address in addresses.split(' ') {
                assert!(!public(address), "{class}: {address}");
            }
        }
    }

    #[test]
    fn what_lies_beside_them_is_public() {
        let open = [
            "1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34",
            "100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0",
            "168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0",
            "172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0",
            "198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255",
            "2001:200::1 2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1 2003::1 2606:4700::1111",
            "2a00:1450:4001::1 3ffd::1 3fff:1000::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8",
        ];
        for address in open.iter().flat_map(|line| line.split(' ')) {
            assert!(public(address), "{address}");
        }
    }
}
