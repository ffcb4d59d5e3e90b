//! Who asks: what Docker's configuration has for a host, itself or through a credential helper.

use std::{
    env,
    fs::File,
    io::{BufReader, ErrorKind},
    path::{Path, PathBuf},
};

use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use oci_client::secrets::RegistryAuth;

use crate::{Error, error::reason};

/// Under which name Docker keeps the credentials of Docker Hub.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// Who asks, and where that was looked up.
pub struct Credentials {
    pub(crate) file: PathBuf,
    pub(crate) login: Option<(String, String)>,
}

impl Credentials {
    /// Those for a host, from `config.json` in `DOCKER_CONFIG` or in `~/.docker`; none if nothing is
    /// there.
    ///
    /// # Errors
    ///
    /// When something is there that cannot be used.
    pub fn of_environment(host: &str) -> Result<Self, Error> {
        let home = || env::home_dir().map(|home| home.join(".docker"));
        let folder = env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty());
        let folder = folder.map(PathBuf::from).or_else(home).unwrap_or_default();
        let file = folder.join("config.json");
        let login = login(host, &file)?;
        Ok(Self { file, login })
    }

    pub(crate) fn user(&self) -> Option<&str> {
        self.login.as_ref().map(|(user, _)| user.as_str())
    }

    pub(crate) fn auth(&self) -> RegistryAuth {
        match self.login.clone() {
            None => RegistryAuth::Anonymous,
            Some((user, password)) => RegistryAuth::Basic(user, password),
        }
    }
}

fn login(host: &str, file: &Path) -> Result<Option<(String, String)>, Error> {
    let config = match File::open(file) {
        Ok(config) => config,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Error::Unreadable {
                file: file.to_owned(),
                why: reason(&error),
            });
        }
    };
    let server = if host == "docker.io" {
        DOCKER_HUB
    } else {
        host
    };
    let why = match get_credential_from_reader(BufReader::new(config), server) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            return Ok(Some((user, password)));
        }
        Ok(DockerCredential::IdentityToken(_)) => {
            "they are an identity token, and only a user with a password or an access token will do"
                .to_owned()
        }
        Err(error) => match why(&error) {
            Some(why) => why,
            None => return Ok(None),
        },
    };
    Err(Error::Credentials {
        host: host.to_owned(),
        file: file.to_owned(),
        why,
    })
}

/// Why there are none; nothing where that is no error.
fn why(error: &CredentialRetrievalError) -> Option<String> {
    use CredentialRetrievalError as Retrieval;
    Some(match error {
        Retrieval::NoCredentialConfigured | Retrieval::ConfigNotFound => return None,
        // The words of Docker's own helpers.
        Retrieval::HelperFailure { stdout, .. } if stdout.contains("credentials not found") => {
            return None;
        }
        Retrieval::HelperFailure {
            helper,
            stdout,
            stderr,
        } => {
            let mut said = stdout.lines().chain(stderr.lines()).map(str::trim);
            let said = said.find(|line| !line.is_empty());
            format!("{helper} failed ({})", said.unwrap_or("without a word"))
        }
        Retrieval::HelperCommunicationError => {
            "the credential helper that it names cannot be run".to_owned()
        }
        Retrieval::MalformedHelperResponse => {
            "its credential helper answered something else than credentials".to_owned()
        }
        Retrieval::CredentialDecodingError => "their auth is no base64 of USER:PASSWORD".to_owned(),
        Retrieval::CredentialMismatchError => {
            "their auth has another user or password than stands beside it".to_owned()
        }
        Retrieval::ConfigReadError => "the file is no Docker configuration".to_owned(),
    })
}
