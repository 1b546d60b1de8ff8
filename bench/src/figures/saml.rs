//! AssumeRoleWithSAML: strict, and no assertion twice.

use tempfile::TempDir;

use super::{Bench, Measured, apart};
use crate::{
    Outcome,
    assertion::{Kind, SignOn},
    load::{Load, Pace},
    report::{Figure, Report},
    server::{self, Server},
};

impl Bench {
    /// (d)
    pub fn saml(&self, report: &mut Report) -> Outcome {
        let sign_on = SignOn::new(self.folder.path())?;
        // Signing takes long: each server begins with nothing, so that the same will do for all.
        let assertions = sign_on.sign(self.effort.assertions)?;
        for (kind, name, written_name) in [
            (Kind::Plain, "SAML, one signature, default", "SAML, one signature, written"),
            (Kind::SignedTwice, "SAML, two signatures, default", "SAML, two signatures, written"),
            (Kind::Encrypted, "SAML, encrypted, default", "SAML, encrypted, written"),
        ] {
            let responses = sign_on.respond(kind, &assertions)?;
            for (name, level) in [(name, None), (written_name, Some("written"))] {
                let folder = apart()?;
                let server = self.door(&folder, &sign_on, level)?;
                let measured = self.measure_once(name, &server, &responses)?;
                let bytes = responses.first().map_or(0, |it| it.len() / 4 * 3);
                let note = format!("{}; response of {bytes} bytes", measured.note());
                let figure = match kind {
                    Kind::Plain => {
                        let target = (0.10, "≥ 0.10 V");
                        Figure::share(name, measured.rate, measured.share(), target, note)
                    }
                    Kind::SignedTwice | Kind::Encrypted => {
                        Figure::beside(name, measured.rate, measured.share(), note)
                    }
                };
                report.add(figure);
            }
        }
        Ok(())
    }

    /// A server that knows nothing but the provider and the role that it opens.
    fn door(&self, folder: &TempDir, sign_on: &SignOn, level: Option<&str>) -> Outcome<Server> {
        server::settings(folder.path(), &self.issuer.key_set(), level)?;
        let (server, admin) = Server::vestibule(folder.path())?;
        let admin = admin.ok_or("the first start printed no key")?;
        server::set_up_saml(&server, &admin, &sign_on.metadata(), &sign_on.private_key()?)?;
        Ok(server)
    }

    /// As `measure`, but every request is sent once: each run has a part of them to itself.
    fn measure_once(&self, name: &str, server: &Server, responses: &[String]) -> Outcome<Measured> {
        let requests: Vec<Vec<u8>> = responses
            .iter()
            .map(|response| server::saml_exchange(server.address, response))
            .collect();
        let mut parts = requests.chunks(requests.len().div_ceil(self.effort.runs + 1));
        self.medians(name, server, |_| {
            let part = parts.next().ok_or("fewer assertions than runs")?;
            Load::new(server.address, part)?.run(self.effort.length, Pace::Once)
        })
    }
}
