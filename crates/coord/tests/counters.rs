//! What each kind of counter does, and what many at once do to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use qm_coord::{Ask, Coord, Level, Memory, Meter, Room, Ticket};
use tokio::task::JoinSet;

const NOW: u64 = 1_795_268_625_000;
const MINUTE: Meter = Meter::Window { span_ms: 60_000, step_ms: 1 };
const DAY: Meter = Meter::Period { start_ms: NOW - 5_000, end_ms: NOW + 10_000 };
const NEXT_DAY: Meter = Meter::Period { start_ms: NOW + 10_000, end_ms: NOW + 25_000 };

fn ask(slot: &'static str, meter: Meter, limit: u64, amount: u64) -> Ask {
    Ask { slot, meter, limit, amount, sure: false }
}

async fn take(memory: &Memory, asks: &[Ask], now_ms: u64) -> Result<Box<dyn Ticket>, (usize, Room)> {
    let taken = memory.take(&"one".into(), asks, now_ms).await;
    taken.map(|taken| taken.ticket).map_err(|full| (full.which, full.room))
}

#[tokio::test]
async fn a_period_ends_and_what_it_took_stays_its_own() {
    let memory = Memory::default();
    let late = take(&memory, &[ask("day", DAY, 10, 8)], NOW).await.unwrap();
    // Reserved, not spent: it may come back before the period ends.
    assert_eq!(take(&memory, &[ask("day", DAY, 10, 3)], NOW).await.unwrap_err(), (0, Room::WhenSettled));
    let next = take(&memory, &[ask("day", NEXT_DAY, 10, 3)], NOW + 10_000).await.unwrap();
    late.settle(&[Some(500)], NOW + 11_000);
    next.settle(&[Some(9)], NOW + 11_000);
    let levels = memory.levels("one", &[ask("day", NEXT_DAY, 10, 0)], NOW + 11_000).await;
    assert_eq!(levels, [Level { used: 9, unsettled: 0, free_ms: NOW + 25_000 }]);
    let full = take(&memory, &[ask("day", NEXT_DAY, 10, 2)], NOW + 11_000).await.unwrap_err();
    assert_eq!(full, (0, Room::At(NOW + 25_000)));
}

#[tokio::test]
async fn what_is_sure_does_not_come_back() {
    let memory = Memory::default();
    let sure = Ask { sure: true, ..ask("day", DAY, 1, 1) };
    let ticket = take(&memory, &[sure], NOW).await.unwrap();
    assert_eq!(take(&memory, &[sure], NOW).await.unwrap_err(), (0, Room::At(NOW + 10_000)));
    ticket.settle(&[None], NOW);
    let levels = memory.levels("one", &[sure], NOW).await;
    assert_eq!(levels, [Level { used: 1, unsettled: 0, free_ms: NOW + 10_000 }]);
}

#[tokio::test]
async fn a_seed_is_what_a_counter_has_at_least() {
    let memory = Memory::default();
    let one = "one".into();
    memory.seed(&one, "day", DAY, 7).await;
    memory.seed(&one, "day", DAY, 1).await;
    take(&memory, &[ask("day", DAY, 10, 3)], NOW).await.unwrap().settle(&[None], NOW);
    assert!(take(&memory, &[ask("day", DAY, 10, 1)], NOW).await.is_err());
    memory.seed(&one, "day", NEXT_DAY, 2).await;
    assert!(take(&memory, &[ask("day", NEXT_DAY, 10, 9)], NOW + 10_000).await.is_err());
    // What was taken while nobody asked for this counter is made up for; what is reserved stays beside it.
    let held = take(&memory, &[ask("day", NEXT_DAY, 10, 2)], NOW + 10_000).await.unwrap();
    memory.seed(&one, "day", NEXT_DAY, 6).await;
    memory.seed(&one, "day", DAY, 100).await;
    let levels = memory.levels("one", &[ask("day", NEXT_DAY, 10, 0)], NOW + 11_000).await;
    assert_eq!(levels, [Level { used: 8, unsettled: 2, free_ms: NOW + 25_000 }]);
    drop(held);
    // A window has no seed.
    memory.seed(&one, "minute", MINUTE, 60).await;
    assert!(take(&memory, &[ask("minute", MINUTE, 1, 1)], NOW).await.is_ok());
}

#[tokio::test]
async fn the_limit_with_room_last_is_named() {
    let memory = Memory::default();
    let asks = [ask("held", Meter::Held, 1, 1), ask("minute", MINUTE, 1, 1), ask("day", DAY, 5, 5)];
    let ticket = take(&memory, &asks, NOW).await.unwrap();
    assert_eq!(take(&memory, &asks[..1], NOW).await.unwrap_err(), (0, Room::WhenSettled));
    assert_eq!(take(&memory, &asks, NOW).await.unwrap_err(), (1, Room::At(NOW + 60_000)));
    let too_much = [asks[0], asks[1], ask("day", DAY, 5, 6)];
    assert_eq!(take(&memory, &too_much, NOW).await.unwrap_err(), (2, Room::Never));
    ticket.settle(&[], NOW);
    assert_eq!(take(&memory, &asks[1..], NOW).await.unwrap_err(), (0, Room::At(NOW + 60_000)));
    assert!(take(&memory, &asks[..1], NOW).await.is_ok());
}

#[tokio::test]
async fn limits_may_change_between_two_requests() {
    let memory = Memory::default();
    for now_ms in NOW..NOW + 10 {
        drop(take(&memory, &[ask("minute", MINUTE, 10, 1)], now_ms).await.unwrap());
    }
    let lowered = take(&memory, &[ask("minute", MINUTE, 2, 1)], NOW + 100).await.unwrap_err();
    assert_eq!(lowered, (0, Room::At(NOW + 60_008)), "nine must leave");
    assert!(take(&memory, &[ask("minute", MINUTE, 11, 1)], NOW + 100).await.is_ok());
}

#[tokio::test]
async fn a_subject_that_is_forgotten_settles_into_nothing() {
    let memory = Memory::default();
    let ticket = take(&memory, &[ask("held", Meter::Held, 1, 1)], NOW).await.unwrap();
    memory.forget("one");
    ticket.settle(&[None], NOW);
    assert_eq!(memory.subjects(), 0);
}

#[tokio::test]
async fn a_ticket_that_is_dropped_counts_as_taken_and_frees_its_place() {
    let memory = Memory::default();
    let asks = [ask("held", Meter::Held, 1, 1), ask("day", DAY, 10, 8)];
    drop(take(&memory, &asks, NOW).await.unwrap());
    let levels = memory.levels("one", &asks, NOW).await;
    assert_eq!(
        levels.iter().map(|level| (level.used, level.unsettled)).collect::<Vec<_>>(),
        [(0, 0), (8, 0)]
    );
}

#[tokio::test]
async fn subjects_that_are_idle_are_dropped() {
    let memory = Memory::default();
    for n in 0..50_000_u64 {
        let subject = format!("subject-{n}").into();
        let now_ms = NOW + n * 100;
        let taken = memory.take(&subject, &[ask("minute", MINUTE, 5, 1)], now_ms).await.unwrap();
        taken.ticket.settle(&[None], now_ms);
    }
    // At any time 600 of them have a request within the last minute.
    assert!(memory.subjects() < 16 * 64 + 2 * 600, "{}", memory.subjects());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_get_exactly_what_there_is() {
    let memory = Arc::new(Memory::default());
    let (held, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut racers = JoinSet::new();
    for _ in 0..100 {
        let (memory, held, most) = (Arc::clone(&memory), Arc::clone(&held), Arc::clone(&most));
        racers.spawn(async move {
            let asks = [ask("minute", MINUTE, 60, 1), ask("held", Meter::Held, 5, 1)];
            let mut admitted = 0;
            for _ in 0..200 {
                if let Ok(ticket) = take(&memory, &asks, NOW).await {
                    admitted += 1;
                    most.fetch_max(held.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    held.fetch_sub(1, Ordering::SeqCst);
                    ticket.settle(&[None, None], NOW);
                }
                tokio::task::yield_now().await;
            }
            admitted
        });
    }
    let admitted: u64 = racers.join_all().await.into_iter().sum();
    assert_eq!(admitted, 60);
    assert!(most.load(Ordering::SeqCst) <= 5);
}
