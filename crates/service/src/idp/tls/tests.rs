use std::sync::atomic::Ordering::SeqCst;

use rcgen::{BasicConstraints, CertifiedIssuer, IsCa, date_time_ymd};

use super::*;
use crate::idp::testbed::{
    Authority, Chain, HOST, NOW, ca_params, clock, issue, key, params, self_signed,
};

struct Case<'a> {
    public: Option<&'a Authority>,
    private: Option<&'a Authority>,
    pins: Pins<'a>,
    host: &'a str,
    now: u64,
}

const NOBODY: Case<'static> =
    Case { public: None, private: None, pins: Pins::Registered(&[]), host: HOST, now: NOW };

impl Case<'_> {
    fn judge(&self, chain: &Chain) -> Result<Acceptance, TlsFailure> {
        let roots = self.public.map_or_else(RootCertStore::empty, Authority::roots);
        let pem = self.private.map(|authority| authority.root.pem());
        let anchors = Anchors::new(Arc::new(roots), pem.as_deref(), self.pins).unwrap();
        let (leaf, rest) = chain.certificates.split_first().unwrap();
        let name = ServerName::try_from(self.host.to_owned()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_millis(self.now));
        anchors.judge(leaf, rest, &name, now)
    }
}

fn by(outcome: Result<Acceptance, TlsFailure>) -> Option<VerifiedBy> {
    outcome.unwrap().by
}

fn print(certificate: &CertificateDer<'_>) -> Thumbprint {
    Thumbprint::of(certificate)
}

#[test]
fn a_public_root_vouches_and_an_unknown_one_does_not() {
    let (known, unknown) = (Authority::new("known"), Authority::new("unknown"));
    let case = Case { public: Some(&known), ..NOBODY };
    assert_eq!(by(case.judge(&known.chain(HOST))), Some(VerifiedBy::IamTrustStore));
    let sent = print(unknown.intermediate.der());
    let refused = case.judge(&unknown.chain(HOST)).unwrap_err();
    assert_eq!(refused, TlsFailure::UntrustedIssuer { sent });
}

#[test]
fn a_private_authority_vouches_for_its_own_only() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let case = Case { private: Some(&ours), ..NOBODY };
    assert_eq!(by(case.judge(&ours.chain(HOST))), Some(VerifiedBy::PrivateCa));
    let refused = case.judge(&other.chain(HOST)).unwrap_err();
    assert!(matches!(refused, TlsFailure::UntrustedIssuer { .. }), "{refused}");
}

#[test]
fn the_first_source_that_vouches_is_named() {
    let authority = Authority::new("all");
    let pins = [print(authority.intermediate.der())];
    let (both, pins) = (Some(&authority), Pins::Registered(&pins));
    let chain = authority.chain(HOST);
    let case = Case { public: both, private: both, pins, ..NOBODY };
    assert_eq!(by(case.judge(&chain)), Some(VerifiedBy::IamTrustStore));
    let case = Case { private: both, pins, ..NOBODY };
    assert_eq!(by(case.judge(&chain)), Some(VerifiedBy::PrivateCa));
    assert_eq!(by(Case { pins, ..NOBODY }.judge(&chain)), Some(VerifiedBy::Thumbprint));
}

#[test]
fn the_right_thumbprint_vouches_and_a_wrong_one_does_not() {
    let authority = Authority::new("pinned");
    let sent = print(authority.intermediate.der());
    let chain = authority.chain(HOST);
    let case = |pins: &[Thumbprint]| Case { pins: Pins::Registered(pins), ..NOBODY }.judge(&chain);
    let accepted = case(&[Thumbprint([7; 20]), sent]).unwrap();
    assert_eq!(accepted, Acceptance { by: Some(VerifiedBy::Thumbprint), thumbprint: sent });
    let refused = case(&[Thumbprint([7; 20])]).unwrap_err();
    assert_eq!(refused, TlsFailure::ThumbprintMismatch { sent });
}

#[test]
fn a_root_that_is_sent_can_be_pinned_and_so_can_the_intermediate_below_it() {
    let authority = Authority::new("pinned");
    let chain = authority.chain(HOST).and(authority.root.der());
    for pinned in [authority.root.der(), authority.intermediate.der()] {
        let pins = [print(pinned)];
        let case = Case { pins: Pins::Registered(&pins), ..NOBODY };
        let accepted = case.judge(&chain).unwrap();
        assert_eq!(accepted.by, Some(VerifiedBy::Thumbprint));
        assert_eq!(accepted.thumbprint, print(authority.root.der()), "the last one sent");
    }
}

#[test]
fn a_name_that_is_not_the_servers_is_refused_whoever_vouches() {
    let authority = Authority::new("any");
    let pins = [print(authority.intermediate.der())];
    let alone = self_signed(&params(HOST));
    let own = [print(&alone.certificates[0])];
    let host = "other.example";
    let chain = authority.chain(HOST);
    for (case, chain) in [
        (Case { public: Some(&authority), host, ..NOBODY }, &chain),
        (Case { private: Some(&authority), host, ..NOBODY }, &chain),
        (Case { pins: Pins::Registered(&pins), host, ..NOBODY }, &chain),
        (Case { pins: Pins::Registered(&own), host, ..NOBODY }, &alone),
        (Case { pins: Pins::FirstUse, host, ..NOBODY }, &chain),
    ] {
        assert_eq!(case.judge(chain).unwrap_err(), TlsFailure::WrongName);
        assert!(Case { host: HOST, ..case }.judge(chain).is_ok());
    }
}

#[test]
fn a_pinned_certificate_appended_to_a_foreign_chain_vouches_for_nothing() {
    let (pinned, attacker) = (Authority::new("pinned"), Authority::new("attacker"));
    let pins = [print(pinned.intermediate.der())];
    let case = Case { pins: Pins::Registered(&pins), ..NOBODY };
    let forged = attacker.chain(HOST).and(pinned.intermediate.der());
    let refused = case.judge(&forged).unwrap_err();
    // It is not the last certificate that is wrong: it is that the leaf does not chain to it.
    let sent = print(pinned.intermediate.der());
    assert_eq!(refused, TlsFailure::ThumbprintMismatch { sent });
    // The same names in the chain, another key.
    let namesake = Authority::new("pinned").chain(HOST).and(pinned.intermediate.der());
    assert!(case.judge(&namesake).is_err());
    assert!(case.judge(&pinned.chain(HOST)).is_ok());
}

#[test]
fn a_pinned_server_certificate_is_no_authority() {
    let authority = Authority::new("real");
    // The holder of a certificate for another name signs one for the provider's name.
    let holder = params("holder.example");
    let issuer = CertifiedIssuer::signed_by(holder, key(), &authority.intermediate).unwrap();
    let forged = issue(params(HOST), &issuer).and(issuer.der());
    let pins = [print(issuer.der())];
    let case = Case { pins: Pins::Registered(&pins), ..NOBODY };
    let refused = case.judge(&forged).unwrap_err();
    assert_eq!(refused, TlsFailure::ThumbprintMismatch { sent: pins[0] });
}

#[test]
fn a_single_certificate_is_pinned_by_itself() {
    let mut as_authority = params(HOST);
    as_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let lone_leaf = issue(params(HOST), &Authority::new("absent").intermediate);
    for chain in [self_signed(&params(HOST)), self_signed(&as_authority), lone_leaf] {
        let own = print(&chain.certificates[0]);
        let pins = [own];
        let case = Case { pins: Pins::Registered(&pins), ..NOBODY };
        assert_eq!(by(case.judge(&chain)), Some(VerifiedBy::Thumbprint));
        let twin = self_signed(&params(HOST));
        let sent = print(&twin.certificates[0]);
        assert_eq!(case.judge(&twin).unwrap_err(), TlsFailure::ThumbprintMismatch { sent });
        assert_eq!(NOBODY.judge(&chain).unwrap_err(), TlsFailure::UntrustedIssuer { sent: own });
    }
}

#[test]
fn a_pinned_leaf_counts_only_when_it_is_all_that_was_sent() {
    let authority = Authority::new("any");
    let chain = authority.chain(HOST);
    let pins = [print(&chain.certificates[0])];
    let refused = Case { pins: Pins::Registered(&pins), ..NOBODY }.judge(&chain).unwrap_err();
    let sent = print(authority.intermediate.der());
    assert_eq!(refused, TlsFailure::ThumbprintMismatch { sent });
}

#[test]
fn time_counts_for_leaves_and_for_pinned_certificates() {
    let authority = Authority::new("timed");
    let pins = [print(authority.intermediate.der())];
    let chain = authority.chain(HOST);
    let year = 365 * 24 * 3600 * 1000;
    for (now, failure) in
        [(NOW - 2 * year, TlsFailure::NotYetValid), (NOW + 5 * year, TlsFailure::Expired)]
    {
        for case in [
            Case { public: Some(&authority), now, ..NOBODY },
            Case { pins: Pins::Registered(&pins), now, ..NOBODY },
            Case { pins: Pins::FirstUse, now, ..NOBODY },
        ] {
            assert_eq!(case.judge(&chain).unwrap_err(), failure);
            assert!(Case { now: NOW, ..case }.judge(&chain).is_ok());
        }
        for mut lone in [params(HOST), params(HOST)] {
            lone.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let lone = self_signed(&lone);
            let pins = [print(&lone.certificates[0])];
            let case = Case { pins: Pins::Registered(&pins), now, ..NOBODY };
            assert_eq!(case.judge(&lone).unwrap_err(), failure);
        }
    }
    // A fresh leaf under a pinned intermediate whose time is over.
    let mut over = ca_params("over");
    over.not_after = date_time_ymd(2025, 6, 1);
    let over = CertifiedIssuer::signed_by(over, key(), &authority.root).unwrap();
    let chain = issue(params(HOST), &over).and(over.der());
    let pins = [print(over.der())];
    let case = Case { pins: Pins::Registered(&pins), ..NOBODY };
    assert_eq!(case.judge(&chain).unwrap_err(), TlsFailure::Expired);
}

#[test]
fn a_certificate_for_clients_only_is_refused() {
    let authority = Authority::new("any");
    let mut client = params(HOST);
    client.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let chain = authority.chain_of(client);
    let refused = Case { public: Some(&authority), ..NOBODY }.judge(&chain).unwrap_err();
    assert!(matches!(refused, TlsFailure::BadCertificate(_)), "{refused}");
}

#[test]
fn an_endless_chain_is_refused() {
    let authority = Authority::new("any");
    let case = Case { public: Some(&authority), ..NOBODY };
    let mut chain = authority.chain(HOST);
    while chain.certificates.len() < MAX_CHAIN {
        chain = chain.and(authority.root.der());
    }
    assert!(case.judge(&chain).is_ok());
    let refused = case.judge(&chain.and(authority.root.der())).unwrap_err();
    assert!(matches!(refused, TlsFailure::BadCertificate(_)), "{refused}");
}

#[test]
fn first_use_learns_the_last_certificate_of_an_unknown_authority() {
    let authority = Authority::new("unknown");
    let case = Case { pins: Pins::FirstUse, ..NOBODY };
    let thumbprint = print(authority.intermediate.der());
    let chain = authority.chain(HOST);
    assert_eq!(case.judge(&chain).unwrap(), Acceptance { by: None, thumbprint });
    assert_eq!(thumbprint_of_chain(&chain.certificates), Some(thumbprint));
    assert_eq!(thumbprint_of_chain(&[]), None);
}

#[test]
fn an_unusable_bundle_is_refused() {
    let good = Authority::new("good").root.pem();
    assert_eq!(ca_bundle(&format!("# ours\n{good}\n{good}")).unwrap().len(), 2);
    let garbled = good.replacen("MII", "%%%", 1);
    for bad in ["", "no PEM at all", &garbled] {
        assert_eq!(ca_bundle(bad).unwrap_err(), TlsFailure::BadCaBundle, "{bad}");
    }
}

#[test]
fn thumbprints_are_forty_hexadecimal_characters() {
    // SHA-1 of "abc", FIPS 180-2.
    let text = "a9993e364706816aba3e25717850c26c9cd0d89d";
    assert_eq!(Thumbprint::of(b"abc").to_string(), text);
    assert_eq!(text.to_uppercase().parse(), Ok(Thumbprint::of(b"abc")));
    for bad in ["", text.trim_start_matches('a'), &format!("{text}0"), &text.replace('a', "g")] {
        assert_eq!(bad.parse::<Thumbprint>(), Err(NotAThumbprint), "{bad}");
    }
}

#[test]
fn rustls_sees_the_injected_clock() {
    let (time, clock) = clock();
    let seen = || ClockTime(Arc::clone(&clock)).current_time().unwrap().as_secs();
    assert_eq!(seen(), NOW / 1000);
    time.store(5_000, SeqCst);
    assert_eq!(seen(), 5);
}
