//! A certificate of the server's own, for those who have none: clients are told to trust exactly this one.

use super::{Files, TlsError};
use crate::data_dir::DataDir;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

/// The certificate in the data folder; clients may have it.
pub const CERTIFICATE: &str = "tls-certificate.pem";
/// Its key; nobody may.
const KEY: &str = "tls-key.pem";

/// The certificate of an earlier start, else a new one for `names`.
///
/// It has no end that anybody will see: there is nobody above it who could have withdrawn it, and clients
/// that were told to trust it would have to be told again. To have another, delete both files.
pub(super) fn keep(names: Vec<String>, data: &DataDir) -> Result<Files, TlsError> {
    let files = Files {
        certificate: data.path().join(CERTIFICATE),
        key: data.path().join(KEY),
    };
    if files.certificate.is_file() && files.key.is_file() {
        return Ok(files);
    }
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "greenroom, self-signed");
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2099, 12, 31);
    let certificate = params.self_signed(&key)?;
    // The key last: without it nothing is taken over from a start that was killed in between.
    let _ = std::fs::remove_file(&files.key);
    data.write_secret(CERTIFICATE, &certificate.pem())
        .map_err(TlsError::Keep)?;
    data.write_secret(KEY, &key.serialize_pem())
        .map_err(TlsError::Keep)?;
    Ok(files)
}
