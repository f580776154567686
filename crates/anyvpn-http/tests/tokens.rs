//! Invariants of a token's life, on random histories in virtual time: a provider that fails in
//! random ways, a store that is full or slow, tokens that expire and are revoked, callers that come
//! and give up.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyvpn_core::{Error, ErrorKind, Secret, SplitMix64, Timestamp};
use anyvpn_http::{
    Binding, BoundToken, Clock, Credentials, MemoryStore, StoreLock, TokenManager, TokenSource,
    TokenStore,
};
use anyvpn_lab::full_store::FullStore;
use async_trait::async_trait;
use futures_core::future::BoxFuture;
use futures_util::future::join_all;

/// The time of tokio's paused clock, which moves to the end of the next wait when all tasks wait.
#[derive(Clone)]
struct PausedClock {
    origin: (tokio::time::Instant, Timestamp),
    /// The difference between the time of day and the clock of deadlines.
    ahead: Arc<Mutex<Duration>>,
}

impl PausedClock {
    fn new() -> Self {
        let began = "2026-01-01T00:00:00Z".parse().unwrap();
        Self { origin: (tokio::time::Instant::now(), began), ahead: Arc::default() }
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        let (instant, time) = self.origin;
        time + instant.elapsed() + *self.ahead.lock().unwrap()
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// What happens to the next attempt to create a token.
#[derive(Clone, Copy, Debug)]
enum Weather {
    Fine,
    /// It takes this many seconds.
    Slow(u64),
    /// Refused with this kind after a second.
    Fails(ErrorKind),
    /// The token is created, but the reply is lost after half a minute.
    Lost,
}

/// A token with its expiry, or without one if the provider does not report it.
#[derive(Clone, Debug)]
struct Token {
    secret: Secret,
    end: Option<Timestamp>,
}

/// A provider that creates tokens, and knows which are valid.
struct Provider {
    clock: PausedClock,
    weather: Mutex<Weather>,
    life: Option<Duration>,
    made: AtomicUsize,
    /// When an attempt began.
    attempts: Mutex<Vec<Instant>>,
    under_way: AtomicUsize,
    good: Mutex<Vec<(String, Option<Timestamp>)>>,
    always_refuses: AtomicBool,
}

impl Provider {
    fn new(clock: &PausedClock, life: Option<Duration>) -> Arc<Self> {
        Arc::new(Self {
            clock: clock.clone(),
            weather: Mutex::new(Weather::Fine),
            life,
            made: AtomicUsize::new(0),
            attempts: Mutex::default(),
            under_way: AtomicUsize::new(0),
            good: Mutex::default(),
            always_refuses: AtomicBool::new(false),
        })
    }

    fn token(&self) -> Token {
        let secret = format!("token-{}", self.made.fetch_add(1, Ordering::SeqCst));
        let end = self.life.map(|life| self.clock.now() + life);
        self.good.lock().unwrap().push((secret.clone(), end));
        Token { secret: Secret::from(secret), end }
    }

    /// Returns whether a call with this token is accepted.
    fn serves(&self, token: &Secret) -> bool {
        let now = self.clock.now();
        let good = self.good.lock().unwrap();
        let is_good = good
            .iter()
            .any(|(secret, end)| secret == token.expose() && end.is_none_or(|end| now < end));
        is_good && !self.always_refuses.load(Ordering::SeqCst)
    }

    fn attempts(&self) -> usize {
        self.attempts.lock().unwrap().len()
    }
}

struct Source(Arc<Provider>);

#[async_trait]
impl TokenSource for Source {
    type Token = Token;
    type Credential = Secret;

    fn credential(&self, token: Token) -> Secret {
        token.secret
    }

    fn secret(token: &Token) -> &Secret {
        &token.secret
    }

    fn secret_of(credential: &Secret) -> Option<&Secret> {
        Some(credential)
    }

    fn expires_at(&self, token: &Token) -> Option<Timestamp> {
        token.end
    }

    async fn make(&self, _: Option<&BoundToken<Token>>) -> Result<Token, Error> {
        let provider = &self.0;
        provider.attempts.lock().unwrap().push(provider.clock.instant());
        let others = provider.under_way.fetch_add(1, Ordering::SeqCst);
        assert_eq!(others, 0, "two attempts at one time");
        let weather = *provider.weather.lock().unwrap();
        let outcome = match weather {
            Weather::Fine => Ok(provider.token()),
            Weather::Slow(seconds) => {
                provider.clock.sleep(Duration::from_secs(seconds)).await;
                Ok(provider.token())
            }
            Weather::Fails(kind) => {
                provider.clock.sleep(Duration::from_secs(1)).await;
                Err(Error::new(kind).with_message("bad weather"))
            }
            Weather::Lost => {
                let _ = provider.token();
                provider.clock.sleep(Duration::from_secs(30)).await;
                Err(Error::new(ErrorKind::Ambiguous))
            }
        };
        provider.under_way.fetch_sub(1, Ordering::SeqCst);
        outcome
    }
}

/// A store that is sometimes full, and slow.
struct Store(FullStore<MemoryStore<Token>>);

#[async_trait]
impl TokenStore<Token> for Store {
    async fn load(&self) -> Result<Option<BoundToken<Token>>, Error> {
        self.0.load().await
    }

    async fn lock(&self) -> Result<StoreLock<Token>, Error> {
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.0.lock().await
    }
}

fn binding() -> Binding {
    Binding::new("acme", "https://vpn.example.com", Some("jo".to_owned()))
}

struct World {
    clock: PausedClock,
    provider: Arc<Provider>,
    store: Arc<Store>,
    manager: TokenManager<Source>,
}

impl World {
    fn new(life: Option<Duration>) -> Self {
        let clock = PausedClock::new();
        let provider = Provider::new(&clock, life);
        let store = FullStore::new(MemoryStore::new(None));
        store.set_full(false);
        let store = Arc::new(Store(store));
        let manager = Self::manager(&clock, &provider, &store);
        Self { clock, provider, store, manager }
    }

    /// Returns another client of the same store, as in another program.
    fn manager(
        clock: &PausedClock,
        provider: &Arc<Provider>,
        store: &Arc<Store>,
    ) -> TokenManager<Source> {
        let store = Arc::clone(store) as Arc<dyn TokenStore<Token>>;
        let clock = Arc::new(clock.clone());
        TokenManager::new(Source(Arc::clone(provider)), store, binding(), clock)
    }

    /// Makes a call as the pipeline does: with the current token, and once more with a renewed one
    /// if the first is refused. The pipeline would give up after two minutes.
    async fn call(&self, manager: &TokenManager<Source>) -> Result<(), Error> {
        let call = async {
            let token = manager.current().await?.unwrap();
            if self.provider.serves(&token) {
                return Ok(());
            }
            if !manager.renew(&token).await? {
                return Err(Error::new(ErrorKind::Unauthorized).with_status(401));
            }
            let token = manager.current().await?.unwrap();
            match self.provider.serves(&token) {
                true => Ok(()),
                false => Err(Error::new(ErrorKind::Unauthorized).with_status(401)),
            }
        };
        let outcome = tokio::time::timeout(Duration::from_secs(120), call).await;
        outcome.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout)))
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// The next step of a history.
async fn step(world: &World, other: &TokenManager<Source>, random: &mut SplitMix64) {
    let weathers = [
        Weather::Fine,
        Weather::Fine,
        Weather::Slow(5),
        Weather::Slow(400),
        Weather::Fails(ErrorKind::Unavailable),
        Weather::Fails(ErrorKind::RateLimited),
        Weather::Fails(ErrorKind::UnexpectedReply),
        Weather::Lost,
    ];
    match random.below(12) {
        0 => *world.provider.weather.lock().unwrap() = weathers[random.below(8) as usize],
        1 => world.store.0.set_full(random.below(2) == 0),
        // All tokens are revoked.
        2 if random.below(3) == 0 => world.provider.good.lock().unwrap().clear(),
        // Time passes.
        3..=5 => {
            let longest = [2, 30, 120, 3600, 20_000][random.below(5) as usize];
            world.wait(Duration::from_secs(random.below(longest))).await;
        }
        6 => {
            // A caller gives up.
            let patience = Duration::from_millis(random.below(40_000));
            let _ = tokio::time::timeout(patience, world.call(&world.manager)).await;
        }
        _ => {
            let callers = random.below(8) + 1;
            // The token that is valid now and stays valid for longer than the test.
            let kept = world.manager.stored().await.unwrap().map(|stored| stored.token);
            let lasts = kept.is_some_and(|token| {
                let soon = world.clock.now() + Duration::from_secs(120);
                token.end.is_none_or(|end| soon < end) && world.provider.serves(&token.secret)
            });
            let calls = (0..callers)
                .map(|caller| world.call(if caller % 4 == 3 { other } else { &world.manager }));
            let outcomes = join_all(calls).await;
            // The other program cannot know a token that is only in the memory of this one.
            let is_shared = world.manager.unsaved().is_none() && other.unsaved().is_none();
            for (caller, outcome) in outcomes.into_iter().enumerate() {
                if lasts && (is_shared || caller % 4 != 3) {
                    outcome.unwrap();
                }
            }
        }
    }
}

fn on_paused_clock(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(test);
}

/// There is at most one attempt at a time (the provider checks it), no attempt before the wait
/// after the last failure is over, no failing call while a valid token exists, and after the last
/// fault everything works again.
#[test]
fn drawn_histories_keep_the_laws() {
    let seeds = std::env::var("ANYVPN_MODEL_CASES").ok().and_then(|it| it.parse().ok());
    for seed in 0..seeds.unwrap_or(300) {
        on_paused_clock(async {
            let mut random = SplitMix64::new(seed);
            let lives = [None, Some(180), Some(1200), Some(12 * 3600)];
            let life = lives[random.below(4) as usize].map(Duration::from_secs);
            let world = World::new(life);
            let other = World::manager(&world.clock, &world.provider, &world.store);
            let began = world.clock.instant();
            for _ in 0..60 {
                step(&world, &other, &mut random).await;
            }
            // Each program makes one attempt in half of a token's life, or in the back-off after
            // its failures, which grows to five minutes. Ten attempts are needed to get there.
            let elapsed = world.clock.instant().duration_since(began).as_secs();
            let rarest = life.map_or(300, |life| (life.as_secs() / 2).clamp(60, 300));
            let most = 2 * (40 + elapsed / rarest);
            let attempts = world.provider.attempts() as u64;
            assert!(attempts <= most, "seed {seed}: {attempts} attempts in {elapsed} s");

            *world.provider.weather.lock().unwrap() = Weather::Fine;
            world.store.0.set_full(false);
            world.wait(Duration::from_secs(3601)).await;
            for manager in [&world.manager, &other] {
                if let Err(error) = world.call(manager).await {
                    panic!("seed {seed}: nothing is wrong any more, and {error:?}");
                }
            }
            assert!(world.manager.unsaved().is_none(), "seed {seed}");
        });
    }
}

/// A lost reply may have created a token, so the callers share the next attempt.
#[test]
fn fifty_callers_and_a_lost_reply_make_one_attempt() {
    on_paused_clock(async {
        let world = World::new(None);
        *world.provider.weather.lock().unwrap() = Weather::Lost;
        for outcome in join_all((0..50).map(|_| world.call(&world.manager))).await {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Ambiguous);
        }
        assert_eq!(world.provider.attempts(), 1);
        let error = world.call(&world.manager).await.unwrap_err();
        assert!(error.to_string().contains("the next attempt is in 1 s"), "{error}");
        assert_eq!(world.provider.attempts(), 1);
        *world.provider.weather.lock().unwrap() = Weather::Fine;
        world.wait(Duration::from_secs(1)).await;
        world.call(&world.manager).await.unwrap();
    });
}

/// The time between failures grows, but never exceeds five minutes.
#[test]
fn the_back_off_doubles_up_to_five_minutes() {
    on_paused_clock(async {
        let world = World::new(None);
        *world.provider.weather.lock().unwrap() = Weather::Fails(ErrorKind::Unavailable);
        let end = world.clock.instant() + Duration::from_secs(3600);
        while world.clock.instant() < end {
            assert_eq!(
                world.call(&world.manager).await.unwrap_err().message(),
                Some("bad weather")
            );
            world.wait(Duration::from_millis(500)).await;
        }
        let attempts = world.provider.attempts.lock().unwrap().clone();
        let gaps = attempts.windows(2).map(|pair| (pair[1] - pair[0]).as_secs());
        let gaps: Vec<_> = gaps.collect();
        assert!(gaps.is_sorted(), "{gaps:?}");
        assert!((15..=22).contains(&gaps.len()), "{gaps:?}");
        assert!((300..=302).contains(gaps.last().unwrap()), "{gaps:?}");
    });
}

/// An endpoint that always answers 401, called for a day, five minutes apart and without a pause.
#[test]
fn an_endpoint_that_refuses_every_token_gets_few() {
    for pause in [1, 300] {
        on_paused_clock(async {
            let world = World::new(None);
            world.provider.always_refuses.store(true, Ordering::SeqCst);
            for _ in 0..24 * 3600 / pause {
                let error = world.call(&world.manager).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Unauthorized);
                world.wait(Duration::from_secs(pause)).await;
            }
            let attempts = world.provider.attempts();
            assert!(attempts <= 32, "{attempts} tokens in a day");
            // Each other endpoint can still be used with the last one.
            world.provider.always_refuses.store(false, Ordering::SeqCst);
            world.call(&world.manager).await.unwrap();
            assert_eq!(world.provider.attempts(), attempts);
        });
    }
}

/// When the machine sleeps, the clock of deadlines stops, but tokens still expire.
#[test]
fn a_token_that_ended_while_the_machine_slept_is_renewed_at_once() {
    on_paused_clock(async {
        let world = World::new(Some(Duration::from_secs(12 * 3600)));
        world.call(&world.manager).await.unwrap();
        *world.clock.ahead.lock().unwrap() = Duration::from_secs(13 * 3600);
        world.call(&world.manager).await.unwrap();
        assert_eq!(world.provider.attempts(), 2);
    });
}

/// Ten calls with a store that saves nothing share one token.
#[test]
fn a_full_store_does_not_cost_a_token_for_each_call() {
    on_paused_clock(async {
        let world = World::new(None);
        world.store.0.set_full(true);
        for _ in 0..10 {
            world.call(&world.manager).await.unwrap();
            world.wait(Duration::from_secs(10)).await;
        }
        assert_eq!(world.provider.attempts(), 1);
        let unsaved = world.manager.unsaved().unwrap();
        assert_eq!(unsaved.token.token.secret.expose(), "token-0");
        assert_eq!(unsaved.token.binding, binding());

        // As soon as there is space, the token is stored, and other programs use it too.
        world.store.0.set_full(false);
        world.wait(Duration::from_secs(300)).await;
        world.call(&world.manager).await.unwrap();
        assert!(world.manager.unsaved().is_none());
        let other = World::manager(&world.clock, &world.provider, &world.store);
        world.call(&other).await.unwrap();
        assert_eq!(world.provider.attempts(), 1);
    });
}
