//! Pictures and files inside a request. Nothing is fetched here: what a URL points to comes in the URL itself, or it is
//! left to others to fetch.

use std::borrow::Cow;

use qm_canon::{At, Document, Fault, Image, MediaType, Part, Remote};

use crate::path::Path;

/// A picture from its URL; a URL that is no `data:` URL is one to be fetched.
///
/// # Errors
/// Invalid, when it is a `data:` URL of something else than a picture in base64.
pub(crate) fn image<'a>(url: Cow<'a, str>, at: At, path: &Path<'_>) -> Result<Part<'a>, Fault> {
    let Some(data) = DataUrl::of(&url) else {
        let refusal = path.unsupported_value(
            "this gateway does not fetch remote images. Send the image itself as a data URL: \
             data:image/png;base64,…",
        );
        return Ok(Part::Remote(Box::new(Remote { url, at, refusal })));
    };
    let media_type = match data.media_type.as_str() {
        "image/png" => MediaType::Png,
        "image/jpeg" | "image/jpg" => MediaType::Jpeg,
        "image/gif" => MediaType::Gif,
        "image/webp" => MediaType::Webp,
        _ => {
            return Err(path.invalid(
                "unsupported_image_media_type",
                "expected a base64 data URL of image/png, image/jpeg, image/gif or image/webp.",
            ));
        }
    };
    if !data.base64 {
        return Err(not_base64(path));
    }
    Ok(Part::Image(Image { media_type, base64: after(url, data.start), at }))
}

/// A file from its data: a `data:` URL, or bare base64 of the type that its name shows, which is PDF without a name.
///
/// # Errors
/// Invalid, when it is no file of a type that can be passed on.
pub(crate) fn document<'a>(
    data: Cow<'a, str>,
    name: Option<Cow<'a, str>>,
    at: At,
    path: &Path<'_>,
) -> Result<Document<'a>, Fault> {
    const UNKNOWN: &str = "expected a base64 data URL of a PDF (data:application/pdf;base64,…); Word, Excel, CSV, \
                           HTML and Markdown are taken too.";
    let unknown = || path.invalid("unsupported_file", UNKNOWN);
    let (format, start) = match DataUrl::of(&data) {
        Some(url) if !url.base64 => return Err(not_base64(path)),
        Some(url) => {
            let by_type = FORMATS.iter().find(|(known, _)| *known == url.media_type);
            (by_type.ok_or_else(unknown)?.1, url.start)
        }
        None if data.starts_with("http") => return Err(unknown()),
        None => (by_name(name.as_deref()).ok_or_else(unknown)?, 0),
    };
    let name = name.filter(|name| !name.is_empty());
    Ok(Document { format: Cow::Borrowed(format), name, base64: after(data, start), at })
}

/// Media types of files, and the file name extensions by which the canon knows them.
const FORMATS: [(&str, &str); 8] = [
    ("application/pdf", "pdf"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("text/markdown", "md"),
];

/// The head of a `data:` URL.
struct DataUrl {
    media_type: String,
    base64: bool,
    /// Where its data begins.
    start: usize,
}

// === impl DataUrl ===

impl DataUrl {
    /// The longest head that is read; types and their parameters are short.
    const LONGEST_BYTES: usize = 256;

    fn of(url: &str) -> Option<Self> {
        let head = url.as_bytes().get(..url.len().min(Self::LONGEST_BYTES))?;
        if !head.get(..5)?.eq_ignore_ascii_case(b"data:") {
            return None;
        }
        // Without a comma it is a data URL still, of no type.
        let comma = head.iter().position(|&byte| byte == b',').unwrap_or(5);
        let mut words = url.get(5..comma)?.split(';');
        let media_type = words.next().unwrap_or_default().trim().to_ascii_lowercase();
        let base64 = words.any(|word| word.trim().eq_ignore_ascii_case("base64"));
        Some(Self { media_type, base64, start: comma + 1 })
    }
}

fn not_base64(path: &Path<'_>) -> Fault {
    path.invalid("invalid_value", "expected a data URL in base64: data:TYPE;base64,…")
}

fn by_name(name: Option<&str>) -> Option<&'static str> {
    let Some((_, extension)) = name.and_then(|name| name.rsplit_once('.')) else { return Some("pdf") };
    FORMATS.iter().map(|&(_, format)| format).find(|format| extension.eq_ignore_ascii_case(format))
}

fn after(text: Cow<'_, str>, start: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..).unwrap_or_default()),
        Cow::Owned(mut text) => {
            text.drain(..start.min(text.len()));
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use qm_canon::{At, MediaType, Part};

    use crate::path::Path;

    const AT: At = At { message: 0, part: 0 };
    const PATH: Path<'static> = Path::Top("url");

    #[test]
    fn an_image_is_what_its_data_url_says() {
        let cases = [
            ("data:image/png;base64,AAAA", MediaType::Png),
            ("DATA:Image/JPG;charset=x;BASE64,AAAA", MediaType::Jpeg),
            ("data:image/webp;base64,AAAA", MediaType::Webp),
        ];
        for (url, expect) in cases {
            for url in [Cow::Borrowed(url), Cow::Owned(url.to_owned())] {
                let Ok(Part::Image(image)) = super::image(url, AT, &PATH) else { panic!("an image") };
                assert_eq!((image.media_type, image.base64.as_ref()), (expect, "AAAA"));
            }
        }
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let cases = [
            ("data:image/svg+xml;base64,AA", "unsupported_image_media_type"),
            ("data:image/png,AAAA", "invalid_value"),
            ("data:", "unsupported_image_media_type"),
        ];
        for (url, code) in cases {
            let fault = super::image(url.into(), AT, &PATH).err().unwrap();
            assert_eq!(fault.code, code, "{url}");
        }
    }

    #[test]
    fn any_other_url_is_kept_with_what_to_say_where_nothing_is_fetched() {
        for url in ["https://example.com/a.png", "", "dat\u{e9}\u{e9}\u{e9}"] {
            let Ok(Part::Remote(remote)) = super::image(url.into(), AT, &PATH) else { panic!("{url}") };
            assert_eq!((remote.url.as_ref(), remote.refusal.code.as_ref()), (url, "unsupported_value"));
        }
    }

    #[test]
    fn a_file_is_known_by_its_type_or_its_name() {
        let cases = [
            ("data:application/pdf;base64,AA", Some("x.bin"), "pdf"),
            ("data:text/csv;base64,AA", None, "csv"),
            ("AA", None, "pdf"),
            ("AA", Some("Report.DOCX"), "docx"),
        ];
        for (data, name, format) in cases {
            let document = super::document(data.into(), name.map(Cow::Borrowed), AT, &PATH).unwrap();
            assert_eq!((document.format.as_ref(), document.base64.as_ref()), (format, "AA"), "{data}");
        }
        for (data, name) in
            [("data:audio/wav;base64,AA", None), ("AA", Some("a.exe")), ("https://x/a.pdf", None)]
        {
            assert!(super::document(data.into(), name.map(Cow::Borrowed), AT, &PATH).is_err(), "{data}");
        }
    }
}
