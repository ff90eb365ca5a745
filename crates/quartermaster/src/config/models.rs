//! Choices about models.

use super::reader::{Reader, Refused};

/// Choices about models.
#[derive(Clone, Debug, Default)]
pub(crate) struct Models {
    /// Answers when the model asked for is unknown; without it such a request is refused.
    pub(crate) default: Option<String>,
}

/// Longest name taken.
const NAME_LIMIT_BYTES: usize = 128;

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Models, Refused> {
    let default = reader.optional("models.default", |text| {
        let sound =
            (1..=NAME_LIMIT_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let allowed = "expected a model's name, such as claude-sonnet-4.5";
        sound.then(|| text.to_owned()).ok_or_else(|| allowed.to_owned())
    })?;
    Ok(Models { default })
}
