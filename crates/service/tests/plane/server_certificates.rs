//! Server certificates: what may be uploaded, and that the private key never comes back.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use serde_json::json;

use crate::support::{HOME, Reply, Town, allow};

const NAME: (&str, &str) = ("ServerCertificateName", "web");

/// A certificate and its private key in PEM.
struct Pair {
    body: String,
    key: String,
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params
}

fn self_signed(params: CertificateParams) -> Pair {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Pair { body: certificate.pem(), key: key.serialize_pem() }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

async fn upload(town: &Town, pair: &Pair, more: &[(&str, &str)]) -> Reply {
    let input = [NAME, ("CertificateBody", &pair.body), ("PrivateKey", &pair.key)];
    town.iam(&town.admin, "UploadServerCertificate", &[&input, more].concat()).await
}

fn arn(path_and_name: &str) -> String {
    format!("arn:aws:iam::{HOME}:server-certificate/{path_and_name}")
}

#[tokio::test]
async fn a_certificate_lives_moves_and_dies() {
    let town = Town::new().await;
    let mut dated = params("web.test");
    dated.not_after = date_time_ymd(2027, 3, 1);
    let pair = self_signed(dated);
    let tag = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    let made = upload(&town, &pair, &[("Path", "/edge/"), tag[0], tag[1]]).await.ok();
    assert_eq!(made.text("Arn"), arn("edge/web"));
    assert!(made.text("ServerCertificateId").starts_with("ASCA"));
    assert_eq!(made.text("Expiration"), "2027-03-01T00:00:00Z");
    assert_eq!(made.text("UploadDate"), "2026-01-01T00:00:00Z");
    assert_eq!(made.text("Key"), "k");
    let twice = upload(&town, &pair, &[]).await;
    let text = "The Server Certificate with name web already exists.";
    twice.refused(409, "EntityAlreadyExists", text);

    let read = town.set_up("GetServerCertificate", &[NAME]).await;
    assert_eq!(read.text("CertificateBody").trim(), pair.body.replace('\r', "").trim());
    assert!(!read.body.contains("PRIVATE KEY") && !read.body.contains("CertificateChain"));
    // Nor does the log book hold it.
    let event = serde_json::to_string(&made.event()).unwrap();
    assert!(event.contains("CERTIFICATE") && !event.contains("PRIVATE KEY"), "{event}");

    let to = [("NewServerCertificateName", "site"), ("NewPath", "/sun/")];
    town.set_up("UpdateServerCertificate", &[NAME, to[0], to[1]]).await;
    let none = town.iam(&town.admin, "GetServerCertificate", &[NAME]).await;
    let text = "The Server Certificate with name web cannot be found.";
    none.refused(404, "NoSuchEntity", text);
    let site = ("ServerCertificateName", "site");
    let read = town.set_up("GetServerCertificate", &[site]).await;
    assert_eq!((read.text("Arn"), read.text("Key")), (arn("sun/site"), "k".to_owned()));
    // A name that is taken stays with whom it is.
    upload(&town, &pair, &[]).await.ok();
    let taken = [NAME, ("NewServerCertificateName", "SITE")];
    let taken = town.iam(&town.admin, "UpdateServerCertificate", &taken).await;
    let text = "The Server Certificate with name SITE already exists.";
    taken.refused(409, "EntityAlreadyExists", text);

    let found = town.set_up("ListServerCertificates", &[("PathPrefix", "/sun/")]).await;
    assert_eq!(found.all("ServerCertificateName"), ["site"]);
    let page = town.set_up("ListServerCertificates", &[("MaxItems", "1")]).await;
    assert_eq!(page.all("ServerCertificateName"), ["site"]);
    let next = [("Marker", &*page.text("Marker"))];
    let page = town.set_up("ListServerCertificates", &next).await;
    assert_eq!(page.all("ServerCertificateName"), ["web"]);

    town.set_up("DeleteServerCertificate", &[site]).await;
    let town = town.restarted().await;
    let left = town.set_up("ListServerCertificates", &[]).await;
    assert_eq!(left.all("ServerCertificateName"), ["web"]);
    let count = town.set_up("GetAccountSummary", &[]).await;
    assert!(count.body.contains("<key>ServerCertificates</key><value>1</value>"));
}

#[tokio::test]
async fn what_does_not_belong_together_is_refused() {
    let town = Town::new().await;
    let good = self_signed(params("web.test"));
    let other = self_signed(params("web.test"));
    let malformed = async |body: &str, key: &str, text: &str| {
        let pair = Pair { body: body.to_owned(), key: key.to_owned() };
        upload(&town, &pair, &[]).await.refused(400, "MalformedCertificate", text);
    };
    let unread = "Unable to parse certificate. Please ensure the certificate is in PEM format.";
    malformed("web.pem", &good.key, unread).await;
    malformed(&good.key, &good.key, unread).await;
    malformed(&format!("{}{}", good.body, other.body), &good.key, unread).await;
    let unread = "Unable to parse private key. Please ensure the private key is in PEM format.";
    malformed(&good.body, &good.body, unread).await;
    let encrypted = good.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    malformed(&good.body, &encrypted, unread).await;
    let pair = Pair { body: good.body.clone(), key: other.key };
    let text = "The public key certificate and the private key do not match.";
    upload(&town, &pair, &[]).await.refused(400, "KeyPairMismatch", text);

    let mut past = params("web.test");
    past.not_after = date_time_ymd(2025, 12, 31);
    let past = self_signed(past);
    let text = "Certificate is no longer valid. The 'Not After' date restriction on the \
                certificate has passed.";
    malformed(&past.body, &past.key, text).await;
    let mut future = params("web.test");
    future.not_before = date_time_ymd(2026, 1, 2);
    let future = self_signed(future);
    let text = "Certificate is not yet valid. The 'Not Before' date restriction on the \
                certificate has not passed.";
    malformed(&future.body, &future.key, text).await;
    upload(&town, &good, &[]).await.ok();
}

#[tokio::test]
async fn a_chain_leads_up_in_order() {
    let town = Town::new().await;
    let root = CertifiedIssuer::self_signed(authority("root"), KeyPair::generate().unwrap());
    let root = root.unwrap();
    let key = KeyPair::generate().unwrap();
    let between = CertifiedIssuer::signed_by(authority("between"), key, &root).unwrap();
    // One of the same name, whose key signed nothing here.
    let key = KeyPair::generate().unwrap();
    let impostor = CertifiedIssuer::signed_by(authority("between"), key, &root).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = params("web.test").signed_by(&key, &between).unwrap();
    let pair = Pair { body: leaf.pem(), key: key.serialize_pem() };
    let (root, between, impostor) = (root.pem(), between.pem(), impostor.pem());
    let text = "Unable to validate certificate chain. The certificate chain must start with the \
                immediate signing certificate, followed by any intermediaries in order. The index \
                within the chain of the invalid certificate is: -1";
    for wrong in [&root, &impostor, &format!("{root}{between}"), &format!("{impostor}{root}")] {
        let reply = upload(&town, &pair, &[("CertificateChain", wrong)]).await;
        reply.refused(400, "MalformedCertificate", text);
    }
    let unread = "Unable to parse certificate chain. Please ensure the chain is in PEM format.";
    let reply = upload(&town, &pair, &[("CertificateChain", "chain.pem")]).await;
    reply.refused(400, "MalformedCertificate", unread);
    for (name, chain) in [("a", between.clone()), ("b", format!("{between}{root}"))] {
        let input = [
            ("ServerCertificateName", name),
            ("CertificateBody", &pair.body),
            ("PrivateKey", &pair.key),
            ("CertificateChain", &chain),
        ];
        town.set_up("UploadServerCertificate", &input).await;
    }
    let read = town.set_up("GetServerCertificate", &[("ServerCertificateName", "b")]).await;
    assert_eq!(read.text("CertificateChain").matches("BEGIN CERTIFICATE").count(), 2);
}

#[tokio::test]
async fn an_account_has_twenty() {
    let town = Town::new().await;
    let pair = self_signed(params("web.test"));
    for at in 0..20 {
        let name = format!("c{at}");
        let input = [
            ("ServerCertificateName", name.as_str()),
            ("CertificateBody", &pair.body),
            ("PrivateKey", &pair.key),
        ];
        town.set_up("UploadServerCertificate", &input).await;
    }
    let text = "Cannot exceed quota for ServerCertificatesPerAccount: 20";
    upload(&town, &pair, &[]).await.refused(409, "LimitExceeded", text);
}

/// Renaming needs leave for what the certificate is and for what it becomes.
#[tokio::test]
async fn who_may_rename_one_path_may_not_move_into_another() {
    let town = Town::new().await;
    let pair = self_signed(params("web.test"));
    upload(&town, &pair, &[("Path", "/edge/")]).await.ok();
    let own = json!([arn("edge/*")]);
    let anna = town.user("anna", Some(&allow("iam:UpdateServerCertificate", own))).await;
    let out = [NAME, ("NewPath", "/sun/")];
    let denied = town.iam(&anna, "UpdateServerCertificate", &out).await.denied(&format!(
        "User: arn:aws:iam::{HOME}:user/anna is not authorized to perform: \
         iam:UpdateServerCertificate on resource: {} because no identity-based policy allows the \
         iam:UpdateServerCertificate action",
        arn("sun/web")
    ));
    assert_eq!(denied.why(), "implicitDeny identity iam:UpdateServerCertificate");
    let within = [NAME, ("NewPath", "/edge/2/")];
    town.iam(&anna, "UpdateServerCertificate", &within).await.ok();
}
