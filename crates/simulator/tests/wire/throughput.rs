//! Throughput mode: what it sends must still be a stream.

use std::time::Duration;

use qm_simulator::{Bench, Options, start};

use crate::client::{End, call};

#[tokio::test]
async fn prebuilt_answers_are_whole_streams() {
    for (pace, per_write, stamp) in
        [(None, 1, false), (None, 0, false), (None, 7, true), (Some(Duration::from_millis(1)), 10, true)]
    {
        let bench = Bench { events: 50, bytes_per_event: 40, pace, per_write, stamp, poll: false };
        let sim = start(Options { bench: Some(bench), ..Options::default() }).await.unwrap();
        let reply = call(&sim, "POST", "/generateAssistantResponse", &[], b"no JSON at all").await;
        assert_eq!(reply.end, End::Whole);
        let names = reply.names();
        assert_eq!(names.iter().filter(|name| *name == "assistantResponseEvent").count(), 50);
        assert_eq!(names.last().map(String::as_str), Some("meteringEvent"));
        assert_eq!(reply.text().len(), 50 * 40);
        if stamp {
            let sent_ns: u128 = reply.text()[..20].parse().unwrap();
            assert!(sent_ns > 1_500_000_000_000_000_000);
        }
    }
}
