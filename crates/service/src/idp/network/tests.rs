use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn policy(allow: &[&str], ports: &[u16]) -> NetworkPolicy {
    NetworkPolicy {
        allow: allow.iter().map(|entry| entry.parse().unwrap()).collect(),
        ports: ports.to_vec(),
    }
}

fn reach(policy: &NetworkPolicy, url: &str, found: &[&str]) -> Result<Vec<SocketAddr>, Refusal> {
    let target = policy.target(url, false)?;
    let found: Vec<_> = found.iter().map(|text| ip(text)).collect();
    policy.vet(&target, &found)
}

#[test]
fn every_range_is_known() {
    use Range::*;
    let table = [
        ("8.8.8.8", Public),
        ("172.15.255.255", Public),
        ("172.32.0.0", Public),
        ("100.128.0.0", Public),
        ("10.1.2.3", Private),
        ("172.16.0.1", Private),
        ("172.31.255.255", Private),
        ("192.168.0.1", Private),
        ("100.64.0.1", CarrierGrade),
        ("100.127.255.255", CarrierGrade),
        ("127.0.0.1", Loopback),
        ("127.255.255.255", Loopback),
        ("169.254.0.1", LinkLocal),
        ("169.254.169.254", Metadata),
        ("169.254.170.2", Metadata),
        ("100.100.100.200", Metadata),
        ("168.63.129.16", Metadata),
        ("0.0.0.0", Reserved),
        ("192.0.2.1", Reserved),
        ("198.18.0.1", Reserved),
        ("198.19.255.255", Reserved),
        ("255.255.255.255", Reserved),
        ("240.0.0.1", Reserved),
        ("224.0.0.1", Multicast),
        ("239.255.255.255", Multicast),
        ("2606:4700::1111", Public),
        ("::1", Loopback),
        ("::", Reserved),
        ("fe80::1", LinkLocal),
        ("fec0::1", Reserved),
        ("fc00::1", UniqueLocal),
        ("fdff::1", UniqueLocal),
        ("fd00:ec2::254", Metadata),
        ("ff02::1", Multicast),
        ("2001:db8::1", Reserved),
        ("2001::1", Reserved),
        ("3fff::1", Reserved),
        ("64:ff9b:1::1", Private),
        // An IPv4 address in disguise is that address.
        ("::ffff:169.254.169.254", Metadata),
        ("::ffff:10.0.0.1", Private),
        ("::ffff:8.8.8.8", Public),
        ("64:ff9b::a9fe:a9fe", Metadata),
        ("64:ff9b::808:808", Public),
        ("2002:7f00:1::", Loopback),
        ("2002:808:808::", Public),
        // Never given out: the deprecated compatible form.
        ("::7f00:1", Reserved),
    ];
    for (address, range) in table {
        assert_eq!(Range::of(ip(address)), range, "{address}");
    }
}

#[test]
fn a_public_address_is_reached_and_an_inner_one_is_not() {
    let policy = NetworkPolicy::default();
    let reached = reach(&policy, "https://idp.example/x", &["8.8.8.8"]).unwrap();
    assert_eq!(reached, ["8.8.8.8:443".parse().unwrap()]);
    for address in ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd12::1", "100.64.0.9"] {
        let refused = reach(&policy, "https://idp.example/x", &[address]).unwrap_err();
        let range = Range::of(ip(address));
        assert_eq!(refused, Refusal::Address { address: ip(address), range }, "{address}");
    }
}

#[test]
fn one_inner_address_refuses_the_name() {
    let policy = NetworkPolicy::default();
    let refused = reach(&policy, "https://idp.example/", &["8.8.8.8", "10.0.0.1"]).unwrap_err();
    assert!(matches!(refused, Refusal::Address { range: Range::Private, .. }), "{refused}");
}

#[test]
fn a_mapped_address_is_connected_to_plainly_and_a_translated_one_as_it_is() {
    let policy = NetworkPolicy::default();
    let reached = reach(&policy, "https://i.example/", &["::ffff:8.8.8.8"]).unwrap();
    assert_eq!(reached, ["8.8.8.8:443".parse().unwrap()]);
    let reached = reach(&policy, "https://i.example/", &["64:ff9b::808:808"]).unwrap();
    assert_eq!(reached, ["[64:ff9b::808:808]:443".parse().unwrap()]);
}

#[test]
fn a_configured_network_is_reached_and_its_neighbour_is_not() {
    let policy = policy(&["10.1.0.0/16", "fd00:1::/32"], &[]);
    for (address, reached) in [
        ("10.1.255.255", true),
        ("10.2.0.0", false),
        ("::ffff:10.1.0.1", true),
        ("fd00:1::9", true),
        ("fd00:2::9", false),
    ] {
        let outcome = reach(&policy, "https://idp.example/", &[address]);
        assert_eq!(outcome.is_ok(), reached, "{address}: {outcome:?}");
    }
}

#[test]
fn a_configured_host_may_be_inside_but_never_at_the_metadata_address() {
    let policy = policy(&["idp.corp.example"], &[]);
    for inside in ["10.0.0.1", "127.0.0.1", "fd00::1", "100.64.0.1"] {
        assert!(reach(&policy, "https://idp.corp.example/", &[inside]).is_ok(), "{inside}");
        assert!(reach(&policy, "https://IDP.corp.example/", &[inside]).is_ok(), "{inside}");
        assert!(reach(&policy, "https://x.idp.corp.example/", &[inside]).is_err(), "{inside}");
    }
    for never in ["169.254.169.254", "169.254.0.9", "224.0.0.1", "0.0.0.0", "fd00:ec2::254"] {
        assert!(reach(&policy, "https://idp.corp.example/", &[never]).is_err(), "{never}");
    }
}

#[test]
fn the_metadata_address_needs_an_entry_of_its_own() {
    for (entry, reached) in [("169.254.0.0/16", false), ("0.0.0.0/0", false)] {
        let outcome = reach(&policy(&[entry], &[]), "https://i.example/", &["169.254.169.254"]);
        assert_eq!(outcome.is_ok(), reached, "{entry}");
    }
    let policy = policy(&["169.254.169.254"], &[]);
    assert!(reach(&policy, "https://i.example/", &["169.254.169.254"]).is_ok());
}

#[test]
fn only_permitted_ports_are_reached() {
    let narrow = NetworkPolicy::default();
    for port in [443, 8443] {
        assert!(narrow.target(&format!("https://i.example:{port}/"), false).is_ok());
    }
    let refused = narrow.target("https://i.example:22/", false).unwrap_err();
    assert_eq!(refused, Refusal::Port(22));
    assert!(policy(&[], &[22]).target("https://i.example:22/", false).is_ok());
}

#[test]
fn a_url_is_https_without_user_or_fragment() {
    let policy = NetworkPolicy::default();
    let long = format!("https://i.example/{}", "a".repeat(MAX_URL));
    for (url, refusal) in [
        ("http://i.example/", Refusal::Scheme),
        ("ftp://i.example/", Refusal::Scheme),
        ("file:///etc/passwd", Refusal::Scheme),
        ("https://user@i.example/", Refusal::UserInfo),
        ("https://:secret@i.example/", Refusal::UserInfo),
        ("https://i.example/#x", Refusal::Fragment),
        ("i.example", Refusal::BadUrl),
        ("https://", Refusal::BadUrl),
        (&long, Refusal::BadUrl),
    ] {
        assert_eq!(policy.target(url, false).unwrap_err(), refusal, "{url}");
    }
    assert!(policy.target("https://i.example/keys?p=policy", false).is_ok());
}

#[test]
fn odd_spellings_of_an_address_are_that_address() {
    let policy = NetworkPolicy::default();
    for url in ["https://0x7f.1/", "https://2130706433/", "https://127.1/", "https://[::1]/"] {
        let target = policy.target(url, false).unwrap();
        let address = target.literal.unwrap();
        let refused = policy.vet(&target, &[address]).unwrap_err();
        assert!(matches!(refused, Refusal::Address { range: Range::Loopback, .. }), "{url}");
    }
}

#[test]
fn plain_http_is_for_marked_loopback_only() {
    let policy = policy(&["10.0.0.0/8"], &[]);
    assert_eq!(policy.target("http://localhost:9/", false).unwrap_err(), Refusal::Scheme);
    let target = policy.target("http://localhost:9/", true).unwrap();
    assert!(policy.vet(&target, &[ip("127.0.0.1"), ip("::1")]).is_ok());
    for address in ["10.0.0.1", "8.8.8.8", "169.254.169.254"] {
        let refused = policy.vet(&target, &[ip(address)]).unwrap_err();
        assert_eq!(refused, Refusal::PlainBeyondLoopback(ip(address)));
    }
    // The mark lifts the rule of ports for loopback, and for nothing else.
    let target = policy.target("https://localhost:9/", true).unwrap();
    assert!(policy.vet(&target, &[ip("127.0.0.1")]).is_ok());
    assert_eq!(policy.vet(&target, &[ip("8.8.8.8")]).unwrap_err(), Refusal::Port(9));
}

#[test]
fn a_name_with_too_many_addresses_is_refused() {
    let many = ["8.8.8.8"; MAX_ADDRESSES + 1];
    let policy = NetworkPolicy::default();
    assert!(reach(&policy, "https://i.example/", &many[1..]).is_ok());
    let refused = reach(&policy, "https://i.example/", &many).unwrap_err();
    assert_eq!(refused, Refusal::TooManyAddresses);
}

#[test]
fn entries_are_networks_addresses_or_names() {
    for good in ["10.0.0.0/8", "::/0", "10.1.2.3", "fd00::1", "idp.corp.example"] {
        assert!(good.parse::<Allowed>().is_ok(), "{good}");
    }
    for bad in ["10.0.0.0/33", "::/129", "*.corp.example", "a b", "", "10.0.0.0/x", "h/8"] {
        assert!(bad.parse::<Allowed>().is_err(), "{bad}");
    }
}

#[test]
fn policies_add_up() {
    let both = policy(&["10.0.0.0/8"], &[1]).and(&policy(&["h.example"], &[2]));
    assert_eq!(both, policy(&["10.0.0.0/8", "h.example"], &[1, 2]));
}
