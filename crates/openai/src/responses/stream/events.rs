//! The frame of each event: its name, its number, the item it is of.

use bytes::BytesMut;
use qm_framing::sse;

use crate::json;
use crate::responses::item::Item;

/// The events so far.
pub(super) struct Events {
    pub(super) out: BytesMut,
    sequence: u64,
    /// What stands between the number of a delta and its text, the same for all of one item.
    between: BytesMut,
}

// === impl Events ===

impl Default for Events {
    fn default() -> Self {
        Self { out: BytesMut::with_capacity(1024), sequence: 0, between: BytesMut::new() }
    }
}

impl Events {
    /// From here on events are of another item.
    pub(super) fn next_item(&mut self) {
        self.between.clear();
    }

    /// Begins an event.
    pub(super) fn begin(&mut self, kind: &str) {
        sse::begin(&mut self.out, kind);
        self.out.extend_from_slice(b"{\"type\":\"");
        self.out.extend_from_slice(kind.as_bytes());
        self.out.extend_from_slice(b"\",\"sequence_number\":");
        json::number(&mut self.out, self.sequence);
        self.sequence += 1;
    }

    /// Begins a delta of an item, of which only the text is missing. There are many, and they are alike.
    pub(super) fn delta(&mut self, kind: &str, item: &Item, index: u64, part_index: Option<&str>) {
        self.begin(kind);
        if self.between.is_empty() {
            let begun = self.out.len();
            self.place(item, index);
            if let Some(part_index) = part_index {
                self.value(part_index, |out| out.extend_from_slice(b"0"));
            }
            self.value("delta", |_| {});
            self.between.extend_from_slice(&self.out[begun..]);
        } else {
            self.out.extend_from_slice(&self.between);
        }
    }

    /// Begins an event of an item.
    pub(super) fn of(&mut self, kind: &str, item: &Item, index: u64) {
        self.begin(kind);
        self.place(item, index);
    }

    /// Which item it is of.
    fn place(&mut self, item: &Item, index: u64) {
        self.value("item_id", |out| json::string(out, &item.id));
        self.value("output_index", |out| json::number(out, index));
    }

    /// Begins an event of an item's only part.
    pub(super) fn part(&mut self, kind: &str, item: &Item, index: u64, part_index: &str) {
        self.of(kind, item, index);
        self.value(part_index, |out| out.extend_from_slice(b"0"));
    }

    /// An event that holds an item.
    pub(super) fn item(&mut self, kind: &str, index: u64, item: impl FnOnce(&mut BytesMut)) {
        self.begin(kind);
        self.value("output_index", |out| json::number(out, index));
        self.value("item", item);
        self.end();
    }

    /// Writes a field.
    pub(super) fn value(&mut self, key: &str, value: impl FnOnce(&mut BytesMut)) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        value(&mut self.out);
    }

    pub(super) fn end(&mut self) {
        self.out.extend_from_slice(b"}");
        sse::end(&mut self.out);
    }
}
