//! Second opinions. Random assertions are signed by xmlsec1 (C, another canonicaliser, another
//! parser), and both must agree on them and on what one edit makes of them. Many more are signed
//! by `idp.rs`, whose canonicaliser is a third one.

use std::path::Path;
use std::process::{Command, Stdio};

use claims::{Check, Checks, Verdict};

use crate::corpus::{Provider, judge};
use crate::idp::{Edit, Recipe, Sign, corpus, file, make};

const DOCUMENTS: u64 = 40;
const MORE_DOCUMENTS: u64 = 600;
const PLAIN: &str = r#"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>"#;
const ID_ATTRIBUTE: &str = "urn:oasis:names:tc:SAML:2.0:assertion:Assertion";

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

#[test]
fn xmlsec1_and_we_agree() {
    let folder = tempfile::tempdir().unwrap();
    let mut mutants = (0, 0);
    for seed in 0..DOCUMENTS {
        let mut dice = Dice(seed);
        let signed = sign(folder.path(), &template(&mut dice));
        assert!(theirs(folder.path(), &signed), "xmlsec1 verifies what it has signed: {signed}");
        assert!(ours(&signed), "what xmlsec1 has signed: {signed}");
        for _ in 0..3 {
            let mutant = mutated(&mut dice, &signed);
            let (ours, theirs) = (ours(&mutant), theirs(folder.path(), &mutant));
            mutants.0 += usize::from(ours);
            mutants.1 += usize::from(theirs);
            // We may refuse what they take: a comment or a stray character within base64, a
            // processing instruction. Never the other way round.
            assert!(theirs || !ours, "only we accept this: {mutant}");
        }
    }
    assert!(mutants.0 * 10 >= mutants.1 * 6, "mostly the same is refused: {mutants:?}");
}

#[test]
fn two_canonicalisers_agree() {
    for seed in 0..MORE_DOCUMENTS {
        let mut dice = Dice(seed);
        let list = |dice: &mut Dice| Edit::Once(PLAIN.to_owned(), transform(dice));
        let mut sign = [Sign::plain("_a1"), Sign::plain("_r1")];
        for sign in &mut sign {
            sign.edit.extend((dice.roll(2) == 0).then(|| list(&mut dice)));
        }
        let content = format!(">{}<", content(&mut dice, 3));
        let edit = vec![Edit::Once(">staff<".to_owned(), content)];
        let response = make(&Recipe { edit, sign: Some(sign.to_vec()), ..Recipe::default() });
        let outcome = judge(response.as_bytes(), &Provider::default(), Checks::Strict);
        for check in [Check::ResponseSignature, Check::Signature] {
            let finding = outcome.findings.iter().find(|it| it.check == check).unwrap();
            assert_eq!(finding.verdict, Verdict::Pass, "{check:?}, seed {seed}: {response}");
        }
    }
}

#[test]
fn what_xmlsec1_encrypts_we_decrypt() {
    let folder = tempfile::tempdir().unwrap();
    let (data, template) = (folder.path().join("signed.xml"), folder.path().join("template.xml"));
    std::fs::write(&data, make(&Recipe::default())).unwrap();
    for (session, algorithm) in [
        ("aes-128", "2001/04/xmlenc#aes128-cbc"),
        ("aes-256", "2001/04/xmlenc#aes256-cbc"),
        ("aes-128", "2009/xmlenc11#aes128-gcm"),
        ("aes-256", "2009/xmlenc11#aes256-gcm"),
    ] {
        let element = format!(
            r#"<xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Element"><xenc:EncryptionMethod Algorithm="http://www.w3.org/{algorithm}"/><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>"#
        );
        std::fs::write(&template, element).unwrap();
        let output = Command::new("xmlsec1")
            .args(["--encrypt", "--session-key", session, "--node-name", ID_ATTRIBUTE])
            .arg("--pubkey-cert-pem")
            .arg(corpus().join("keys/sp.crt"))
            .arg("--xml-data")
            .arg(&data)
            .arg(&template)
            .output()
            .expect("xmlsec1 runs: `cargo xtask test` installs it");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{algorithm}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let open =
            r#"<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">"#;
        let response = text
            .replace("<xenc:EncryptedData", &format!("{open}<xenc:EncryptedData"))
            .replace("</xenc:EncryptedData>", "</xenc:EncryptedData></saml:EncryptedAssertion>");
        let outcome = judge(response.as_bytes(), &Provider::default(), Checks::Aws);
        let verified = outcome.result.unwrap_or_else(|why| panic!("{algorithm}: {why:?}"));
        assert_eq!((verified.subject.as_str(), verified.encrypted), ("ada", true), "{algorithm}");
    }
}

/// Whether the assertion's signature holds; what it says is not the question here.
fn ours(xml: &str) -> bool {
    let provider =
        Provider { certificates: vec!["idp".into(), "ec".into()], ..Provider::default() };
    let outcome = judge(xml.as_bytes(), &provider, Checks::Aws);
    let of_signature = outcome.findings.iter().filter(|it| it.check == Check::Signature);
    of_signature.map(|it| it.verdict == Verdict::Pass).next_back() == Some(true)
}

fn theirs(folder: &Path, xml: &str) -> bool {
    let certificate = if xml.contains("ecdsa-") { "ec" } else { "idp" };
    let path = folder.join("verify.xml");
    std::fs::write(&path, xml).unwrap();
    xmlsec1("--verify")
        .arg("--pubkey-cert-pem")
        .arg(corpus().join(format!("keys/{certificate}.crt")))
        .arg(&path)
        .status()
        .is_ok_and(|status| status.success())
}

fn sign(folder: &Path, xml: &str) -> String {
    let key = if xml.contains("ecdsa-") { "ec" } else { "idp" };
    let (path, out) = (folder.join("template.xml"), folder.join("signed.xml"));
    std::fs::write(&path, xml).unwrap();
    let status = xmlsec1("--sign")
        .arg("--privkey-pem")
        .arg(corpus().join(format!("keys/{key}.key")))
        .arg("--output")
        .arg(&out)
        .arg(&path)
        .status()
        .expect("xmlsec1 runs: `cargo xtask test` installs it");
    assert!(status.success(), "xmlsec1 signs {xml}");
    std::fs::read_to_string(out).unwrap()
}

fn xmlsec1(verb: &str) -> Command {
    let mut command = Command::new("xmlsec1");
    command.args([verb, "--id-attr:ID", ID_ATTRIBUTE]).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A response with random things in the assertion, and an empty signature.
fn template(dice: &mut Dice) -> String {
    let (alg, digest) = [
        ("2001/04/xmldsig-more#rsa-sha256", "2001/04/xmlenc#sha256"),
        ("2001/04/xmldsig-more#rsa-sha384", "2001/04/xmldsig-more#sha384"),
        ("2001/04/xmldsig-more#rsa-sha512", "2001/04/xmlenc#sha512"),
        ("2001/04/xmldsig-more#ecdsa-sha256", "2001/04/xmlenc#sha256"),
        ("2000/09/xmldsig#rsa-sha1", "2000/09/xmldsig#sha1"),
    ][dice.roll(5)];
    let mut signature = file("signature.xml")
        .replace("2001/04/xmldsig-more#{{alg}}", alg)
        .replace("2001/04/xmlenc#sha256", digest)
        .replace("{{id}}", "_a1")
        .replace("{{digest}}", "")
        .replace("{{value}}", "");
    let info = signature.find("<ds:KeyInfo>").unwrap();
    let end = signature.find("</ds:KeyInfo>").unwrap() + "</ds:KeyInfo>".len();
    signature.replace_range(info..end, "");
    if dice.roll(2) == 0 {
        signature = signature.replace(PLAIN, &transform(dice));
    }
    let content = content(dice, 3);
    file("response.xml")
        .replace("{{sign:_a1}}", signature.trim())
        .replace("{{sign:_r1}}", "")
        .replace(">staff<", &format!(">{content}<"))
}

/// Exclusive canonicalisation with a list of prefixes.
fn transform(dice: &mut Dice) -> String {
    let list = dice.pick(&["xs", "xs xsi", "#default saml", "samlp p1", "xml p2 nothing"]);
    PLAIN.replace(
        "/>",
        &format!(
            r#"><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="{list}"/></ds:Transform>"#
        ),
    )
}

fn content(dice: &mut Dice, depth: usize) -> String {
    let mut text = String::new();
    for _ in 0..1 + dice.roll(4) {
        let piece = match dice.roll(7) {
            0 => dice
                .pick(&["plain", "  blanks\t", "\r\nlines\n", "ümläut ﷽ 𝕏", "]]&gt;"])
                .to_owned(),
            1 => dice.pick(&["<![CDATA[a<b>&c]]>", "<![CDATA[]]>", "<![CDATA[ x ]]>"]).to_owned(),
            2 => dice.pick(&["<!-- comment -->", "<!---->"]).to_owned(),
            3 => dice.pick(&["<?target data?>", "<?t?>", "<?t   spaced  ?>"]).to_owned(),
            4 => dice.pick(&["&#13;", "&#x9;", "&amp;", "&lt;", "&quot;", "&#x1F600;"]).to_owned(),
            _ if depth == 0 => "leaf".to_owned(),
            _ => element(dice, depth - 1),
        };
        text.push_str(&piece);
    }
    text
}

fn element(dice: &mut Dice, depth: usize) -> String {
    let name = dice.pick(&["a", "p1:b", "p2:c", "saml:d", "xs:e"]);
    let spaces = dice.pick(&[
        r#"xmlns:p1="urn:one" xmlns:p2="urn:two""#,
        r#"xmlns:p2="urn:one" xmlns:p1="urn:two" xmlns="urn:default""#,
        r#"xmlns="" xmlns:p1="urn:one" xmlns:p2="urn:one""#,
        r#"xmlns:p1="urn:one" xmlns:p2="urn:two" xmlns:unused="urn:unused""#,
    ]);
    let attributes = dice.pick(&[
        "",
        r#" z="1" a="2" p1:m="3""#,
        r#" xml:lang="en" p2:a="&#10;x&#9;y" b='"quoted"'"#,
        " v=\"tab\there\nand line\"",
        r#" xml:space="preserve" q="&lt;&amp;&gt;""#,
    ]);
    let inner = content(dice, depth);
    format!("<{name} {spaces}{attributes}>{inner}</{name}>")
}

/// The document with one character changed, put in or taken out.
fn mutated(dice: &mut Dice, xml: &str) -> String {
    let mut characters: Vec<char> = xml.chars().collect();
    let at = dice.roll(characters.len());
    let other = ['x', ' ', '<', '"', '&', '=', '/', '0'][dice.roll(8)];
    match dice.roll(3) {
        0 => characters[at] = other,
        1 => characters.insert(at, other),
        _ => drop(characters.remove(at)),
    }
    characters.into_iter().collect()
}
