//! An answer that makes an encoder look back at the request.

use qm_canon::{Block, Conversation, Event, Finish, Sink, Stop, Usage};

/// Says something, thinks something, and calls the tools that were offered, each once.
pub fn calling(conversation: &Conversation<'_>, sink: &mut impl Sink) {
    block(sink, Block::Thinking, "why\nnot");
    block(sink, Block::Text, "a \"b\" \u{1} \u{1f600}");
    let most = if conversation.single_tool() { 1 } else { 8 };
    let mut stop = Stop::EndTurn;
    for (at, tool) in conversation.tools().iter().take(most).enumerate() {
        let id = format!("tooluse_{at}");
        block(sink, Block::Tool { id: &id, name: &tool.name }, r#"{"input":"a \"b\"\n"}"#);
        stop = Stop::ToolUse;
    }
    let usage = Usage { input: 3, output: 2, ..Usage::default() };
    sink.event(Event::Finish(&Finish { stop, usage }));
}

fn block(sink: &mut impl Sink, block: Block<'_>, text: &str) {
    sink.event(Event::Open(block));
    sink.event(Event::Delta(text));
    if matches!(block, Block::Thinking) {
        sink.event(Event::Signature("c2Vhb\u{2028}"));
    }
    sink.event(Event::Close);
}
