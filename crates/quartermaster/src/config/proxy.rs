//! The machine's outbound proxies, as every program on it is told of them.

use qm_upstream::{Proxies, Proxy};

use super::reader::{Reader, Refused};

const ALLOWED: &str = "expected http://host:3128, https://user:password@host:3128 or socks5h://host:1080";

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Proxies, Refused> {
    let mut proxy = |key| reader.optional(key, |text| Proxy::parse(text).map_err(|_| ALLOWED.to_owned()));
    let (http, https) = (proxy("proxy.http"), proxy("proxy.https"));
    let except = reader.optional("proxy.except", |text| {
        let rules = text.split(',').map(str::trim).filter(|rule| !rule.is_empty());
        Ok(rules.map(str::to_owned).collect())
    });
    Ok(Proxies { http: http?, https: https?, except: except?.unwrap_or_default() })
}
