//! Frames onto the connection: the head first, then writes of the size the script asks for.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Closing, Gone, Player};
use crate::frame;

impl Player<'_> {
    pub(super) async fn event(&mut self, name: &str, payload: &Value) -> Result<(), Gone> {
        self.emit(frame::event(name, payload)).await
    }

    pub(super) async fn emit_all(&mut self, frames: Vec<Vec<u8>>) -> Result<(), Gone> {
        for frame in frames {
            self.output_chars += frame.len() as u64 / 4;
            self.emit(frame).await?;
        }
        Ok(())
    }

    pub(super) async fn emit(&mut self, frame: Vec<u8>) -> Result<(), Gone> {
        self.start().await?;
        self.waiting.extend_from_slice(&frame);
        self.frames_waiting += 1;
        if self.frames_waiting >= self.burst_frames {
            self.flush().await?;
        }
        Ok(())
    }

    pub(super) async fn half_a_frame(&mut self) -> Result<(), Gone> {
        let mut frame = frame::event("assistantResponseEvent", &json!({ "content": "never read whole" }));
        frame.truncate(frame.len() / 2);
        self.emit(frame).await
    }

    /// The head, and on the JSON-RPC faces the first frame.
    pub(super) async fn start(&mut self) -> Result<(), Gone> {
        if self.started {
            return Ok(());
        }
        self.started = true;
        let id = &self.scene.conversation_id;
        let mut headers = vec![
            ("content-type".to_owned(), "application/vnd.amazon.eventstream".to_owned()),
            ("x-amzn-requestid".to_owned(), format!("00000000-0000-4000-8000-{:012}", self.scene.serial)),
        ];
        if !self.scene.rpc && !id.is_empty() {
            headers.push(("x-amzn-codewhisperer-conversation-id".to_owned(), id.clone()));
        }
        self.connection.start(200, &headers).await?;
        if self.scene.rpc && self.knobs.initial_response {
            let frame = frame::event("initial-response", &json!({ "conversationId": id }));
            self.waiting.extend_from_slice(&frame);
        }
        Ok(())
    }

    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        let bytes = std::mem::take(&mut self.waiting);
        self.frames_waiting = 0;
        let size = if self.split_bytes == 0 { bytes.len().max(1) } else { self.split_bytes };
        for piece in bytes.chunks(size) {
            self.connection.chunk(piece).await?;
            if self.split_bytes > 0 {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    pub(super) async fn pause(&mut self, ms: u64) -> Result<(), Gone> {
        self.flush().await?;
        if ms == 0 {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => Ok(()),
            () = self.connection.peer_gone() => Err(Gone),
        }
    }

    pub(super) async fn close(&mut self, closing: Closing) -> Result<Closing, Gone> {
        self.flush().await?;
        self.busy = None;
        match closing {
            Closing::Regular => self.connection.finish().await?,
            Closing::Reset => self.connection.reset_on_close()?,
            Closing::Dropped | Closing::Answered(_) => {}
        }
        Ok(closing)
    }
}
