//! The pace by tokio's paused time.

use std::sync::Mutex;

use super::{
    local::{Local, TIDY_AT_LEAST},
    *,
};

const EVER: Duration = Duration::from_secs(86_400);

fn lane(store: u128) -> Lane {
    Lane::Store { tenant: Uuid::nil(), store: Uuid::from_u128(store) }
}

async fn live(pace: &Pace, store: u128) {
    pace.acquire(&lane(store), Urgency::Live, EVER).await.unwrap();
}

/// When each of these left, in the order of leaving.
async fn leaving(pace: &Arc<Pace>, asking: &[Urgency], begun: Instant) -> Vec<(Duration, Urgency)> {
    let mut tasks = Vec::new();
    for urgency in asking.iter().copied() {
        let pace = Arc::clone(pace);
        tasks.push(tokio::spawn(async move {
            pace.acquire(&lane(1), urgency, EVER).await.unwrap();
            (begun.elapsed(), urgency)
        }));
        tokio::task::yield_now().await;
    }
    let mut left = Vec::new();
    for task in tasks {
        left.push(task.await.unwrap());
    }
    left.sort_by_key(|(at, _)| *at);
    left
}

#[tokio::test(start_paused = true)]
async fn however_many_ask_at_once_they_leave_evenly_spaced() {
    for urgency in [Urgency::Live, Urgency::Bulk] {
        let left = leaving(&Arc::new(Pace::new()), &[urgency; 21], Instant::now()).await;
        for (i, (at, _)) in left.iter().enumerate() {
            let due = SPACING * u32::try_from(i).unwrap();
            // Each look for a place is a millisecond of its own.
            assert!(*at >= due && *at < due + SPACING / 4, "{urgency:?} {i}: {at:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn never_more_than_five_leave_in_any_second() {
    let asking: Vec<_> =
        (0..40).map(|i| if i % 3 == 0 { Urgency::Live } else { Urgency::Bulk }).collect();
    let left = leaving(&Arc::new(Pace::new()), &asking, Instant::now()).await;
    for six in left.windows(REQUESTS_PER_SECOND as usize + 1) {
        let span = six.last().unwrap().0 - six[0].0;
        assert!(span > Duration::from_secs(1), "{six:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn bulk_lets_live_work_go_first() {
    let pace = Arc::new(Pace::new());
    let mut asking = vec![Urgency::Bulk; 6];
    asking.extend([Urgency::Live; 3]);
    let left = leaving(&pace, &asking, Instant::now()).await;
    let order: Vec<_> = left.iter().map(|(_, urgency)| *urgency).collect();
    // The first two had their places before anybody else asked.
    assert_eq!(order[..2], [Urgency::Bulk; 2]);
    assert_eq!(order[2..5], [Urgency::Live; 3]);
}

#[tokio::test(start_paused = true)]
async fn bulk_does_not_starve_however_much_live_work_there_is() {
    let pace = Arc::new(Pace::new());
    let begun = Instant::now();
    let crowd: Vec<_> = (0..2)
        .map(|_| {
            let pace = Arc::clone(&pace);
            tokio::spawn(async move {
                loop {
                    live(&pace, 1).await;
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    for i in 1..=3 {
        pace.acquire(&lane(1), Urgency::Bulk, EVER).await.unwrap();
        assert!(begun.elapsed() < (YIELDS_FOR + SPACING * 5) * i, "{:?}", begun.elapsed());
    }
    crowd.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn one_store_does_not_wait_for_another() {
    let pace = Pace::new();
    let begun = Instant::now();
    for store in 0..50 {
        live(&pace, store).await;
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_only_tries_an_address_takes_no_place_of_the_store_there_and_goes_slower() {
    let pace = Pace::new();
    let probe = |tenant| Lane::Probe { tenant, host: "shop.example".to_owned() };
    let begun = Instant::now();
    for _ in 0..3 {
        let nosy = probe(Uuid::from_u128(9));
        pace.acquire(&nosy, Urgency::Live, EVER).await.unwrap();
    }
    assert!(begun.elapsed() >= PROBE_SPACING * 2);
    let begun = Instant::now();
    live(&pace, 1).await;
    pace.acquire(&probe(Uuid::from_u128(8)), Urgency::Live, EVER).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_store_at_rest_earns_no_burst() {
    let pace = Pace::new();
    live(&pace, 1).await;
    tokio::time::advance(Duration::from_secs(60)).await;
    let begun = Instant::now();
    for _ in 0..6 {
        live(&pace, 1).await;
    }
    assert!(begun.elapsed() >= SPACING * 5, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_those_who_already_wait_for_their_place() {
    for urgency in [Urgency::Live, Urgency::Bulk] {
        let pace = Arc::new(Pace::new());
        live(&pace, 1).await;
        let begun = Instant::now();
        let waiting = {
            let pace = Arc::clone(&pace);
            tokio::spawn(async move { pace.acquire(&lane(1), urgency, EVER).await })
        };
        tokio::task::yield_now().await;
        pace.pause(&lane(1), Duration::from_secs(7)).await;
        waiting.await.unwrap().unwrap();
        assert!(begun.elapsed() >= Duration::from_secs(7), "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_shorter_pause_does_not_end_a_longer_one_and_none_is_endless() {
    let pace = Pace::new();
    let begun = Instant::now();
    pace.pause(&lane(1), Duration::from_secs(9)).await;
    pace.pause(&lane(1), Duration::from_secs(1)).await;
    live(&pace, 1).await;
    assert!(begun.elapsed() >= Duration::from_secs(9));

    let begun = Instant::now();
    pace.pause(&lane(2), Duration::from_secs(86_400 * 365)).await;
    live(&pace, 2).await;
    assert!(begun.elapsed() <= LONGEST_PAUSE + SPACING, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_cannot_wait_is_told_how_long_and_takes_no_place() {
    for urgency in [Urgency::Live, Urgency::Bulk] {
        let pace = Pace::new();
        let begun = Instant::now();
        pace.pause(&lane(1), Duration::from_secs(30)).await;
        let told = pace.acquire(&lane(1), urgency, Duration::from_secs(10)).await;
        assert_eq!(told, Err(Busy::For(Duration::from_secs(30))));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        pace.acquire(&lane(1), urgency, Duration::from_secs(30)).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(30) + SPACING);
    }
}

/// Answers only after a while, which the place does not wait for.
#[derive(Debug)]
struct Slow {
    places: Local,
    takes: Mutex<Duration>,
    /// By how much longer each answer takes than the one before.
    worsens: Duration,
}

impl Slow {
    fn pace(takes: Duration, worsens: Duration) -> Pace {
        let (places, takes) = (Local::default(), Mutex::new(takes));
        Pace::kept_by(Arc::new(Self { places, takes, worsens }))
    }
}

impl Timetable for Slow {
    fn take<'a>(
        &'a self,
        lane: &'a Lane,
        spacing: Duration,
        ahead: Duration,
    ) -> BoxFuture<'a, Result<Turn, Unavailable>> {
        Box::pin(async move {
            let turn = self.places.take(lane, spacing, ahead).await;
            let takes = {
                let mut takes = self.takes.lock().unwrap();
                let now = *takes;
                *takes += self.worsens;
                now
            };
            tokio::time::sleep(takes).await;
            turn
        })
    }

    fn paused<'a>(&'a self, lane: &'a Lane) -> BoxFuture<'a, Result<Duration, Unavailable>> {
        Box::pin(async move {
            let paused = self.places.paused(lane).await;
            let takes = *self.takes.lock().unwrap();
            tokio::time::sleep(takes).await;
            paused
        })
    }

    fn pause<'a>(
        &'a self,
        lane: &'a Lane,
        length: Duration,
    ) -> BoxFuture<'a, Result<(), Unavailable>> {
        self.places.pause(lane, length)
    }
}

#[tokio::test(start_paused = true)]
async fn who_misses_a_place_takes_a_wider_one() {
    let pace = Slow::pace(TOO_LATE * 3, Duration::ZERO);
    let begun = Instant::now();
    live(&pace, 1).await;
    let went = begun.elapsed();
    assert!(went >= SPACING && went < SPACING * 3, "{went:?}");
    // A little late is no miss.
    let pace = Slow::pace(TOO_LATE / 2, Duration::ZERO);
    let begun = Instant::now();
    live(&pace, 1).await;
    assert!(begun.elapsed() < TOO_LATE, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_is_always_too_late_never_goes() {
    // Each answer takes so much longer than the one before that every place is over.
    let pace = Slow::pace(TOO_LATE * 2, TOO_LATE * 2);
    let told = pace.acquire(&lane(1), Urgency::Live, Duration::from_secs(20)).await;
    assert!(matches!(told, Err(Busy::For(_))), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_timetable_makes_wider_places_and_none_is_missed() {
    for takes in [50, 150, 400].map(Duration::from_millis) {
        for at_once in [1, 6] {
            let pace = Arc::new(Slow::pace(takes, Duration::ZERO));
            let begun = Instant::now();
            for _ in 0..30 / at_once {
                leaving(&pace, &vec![Urgency::Live; at_once], begun).await;
            }
            let went = begun.elapsed();
            // A place or two may be missed before it is known how slow it is, by each that asks at once.
            let missed = 2 * u32::try_from(at_once).unwrap();
            let places = (SPACING + takes + takes / 10) * (30 + missed) + takes * 30 / 6;
            assert!(went <= places, "{takes:?}, {at_once}: {went:?} for {places:?}");
        }
    }
}

/// Does not answer.
#[derive(Debug)]
struct Away;

impl Timetable for Away {
    fn take<'a>(
        &'a self,
        _: &'a Lane,
        _: Duration,
        _: Duration,
    ) -> BoxFuture<'a, Result<Turn, Unavailable>> {
        Box::pin(std::future::ready(Err(Unavailable)))
    }

    fn paused<'a>(&'a self, _: &'a Lane) -> BoxFuture<'a, Result<Duration, Unavailable>> {
        Box::pin(std::future::ready(Err(Unavailable)))
    }

    fn pause<'a>(&'a self, _: &'a Lane, _: Duration) -> BoxFuture<'a, Result<(), Unavailable>> {
        Box::pin(std::future::ready(Err(Unavailable)))
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_where_nobody_can_say_whether_it_may_be() {
    let pace = Pace::kept_by(Arc::new(Away));
    let told = pace.acquire(&lane(1), Urgency::Live, EVER).await;
    assert_eq!(told, Err(Busy::Unknown(Unavailable)));
    assert_eq!(told.map_err(ChannelError::from), Err(ChannelError::NoTurn));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_stores_leave_no_trace() {
    let timetable = Arc::new(Local::default());
    let pace = Pace::kept_by(timetable.clone());
    for store in 0..100_000 {
        live(&pace, store).await;
        if store % 100 == 0 {
            tokio::time::advance(SPACING).await;
        }
        assert!(timetable.len() <= 2 * TIDY_AT_LEAST, "at store {store}");
    }
}

#[tokio::test(start_paused = true)]
async fn tidying_forgets_no_store_that_is_paused() {
    let pace = Pace::new();
    let paused = lane(u128::MAX);
    pace.pause(&paused, Duration::from_secs(600)).await;
    for store in 0..10_000 {
        live(&pace, store).await;
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    assert!(pace.acquire(&paused, Urgency::Live, Duration::ZERO).await.is_err());
}
