//! Runs the machine. Each action is a separate task, so that no action waits for another.

use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyvpn_core::{Clock, Error, PortForwards, Provider, SystemClock, within};
use tokio::sync::OnceCell;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use crate::hooks::{Hook, HookEvent};
use crate::machine::{Action, Event, Machine, Now, Outcome, Settings, Stop};
use crate::{ClientError, ClientState, Journal, JournalFile, Snapshot, TorrentClient, Tunnel};

/// How often the tunnel is checked.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a call to a client may take. The client's own limits are shorter.
const CLIENT_TIME: Duration = Duration::from_secs(60);

/// Finds the tunnel; `None` while it is down.
pub type FindTunnel = Box<dyn FnMut() -> io::Result<Option<Tunnel>> + Send>;

/// Observes a [`Keeper`]. The keeper waits for each method, so methods must return soon.
pub trait KeeperObserver {
    /// Called with each new snapshot.
    fn publish(&mut self, snapshot: &Snapshot);

    /// Called when the keeper's loop makes progress, which is at least every 5 seconds.
    fn progress(&mut self) {}

    /// Called with one sentence about a failure that no snapshot reports.
    fn warn(&mut self, _text: &str) {}
}

/// Keeps a forwarded port at a provider.
pub struct Keeper {
    /// The machine's settings. [`Self::run`] adds the clients and hooks.
    pub settings: Settings,
    port: Arc<ProviderPort>,
    file: Arc<JournalFile>,
    journal: Journal,
    find_tunnel: FindTunnel,
    clients: Vec<Arc<dyn TorrentClient>>,
    hooks: Vec<Hook>,
    clock: Arc<dyn Clock>,
}

impl Keeper {
    /// Creates a keeper with the default settings, without clients and hooks.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the provider does not forward ports, or cannot list them. Without a list,
    /// the keeper could not find out whether a creation succeeded whose answer was lost.
    pub fn new(
        provider: Arc<dyn Provider>,
        (file, journal): (JournalFile, Journal),
        find_tunnel: FindTunnel,
    ) -> Result<Self, Error> {
        let port = ProviderPort { provider, takes_device: OnceCell::new() };
        let forwards = port.forwards()?;
        if forwards.port_list().is_none() {
            return Err(Error::invalid("provider", "does not list its port forwards"));
        }
        let mut settings = Settings::new(forwards.lease());
        settings.can_check = forwards.port_check().is_some();
        Ok(Self {
            settings,
            port: Arc::new(port),
            file: Arc::new(file),
            journal,
            find_tunnel,
            clients: Vec::new(),
            hooks: Vec::new(),
            clock: Arc::new(SystemClock),
        })
    }

    /// Adds a torrent client.
    #[must_use]
    pub fn with_client(mut self, client: Arc<dyn TorrentClient>) -> Self {
        self.clients.push(client);
        self
    }

    /// Adds a hook.
    #[must_use]
    pub fn with_hook(mut self, hook: Hook) -> Self {
        self.hooks.push(hook);
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Keeps the port until `stop` completes, whose value says what becomes of the port, or for one round if
    /// the settings say so. Actions in progress then get up to 20 seconds to finish.
    pub async fn run(
        mut self,
        observer: &mut dyn KeeperObserver,
        stop: impl Future<Output = Stop>,
    ) -> Outcome {
        self.settings.clients = self.clients.iter().map(|it| it.name().to_owned()).collect();
        // Several hooks can run the same program, such as a shell.
        let name = |(place, hook): (usize, &Hook)| format!("{} {}", place + 1, hook.program());
        self.settings.hooks = self.hooks.iter().enumerate().map(name).collect();
        let began = self.clock.instant();
        let now = self.now(began);
        let machine = Machine::new(self.settings.clone(), std::mem::take(&mut self.journal), now);
        let (sender, arrived) = mpsc::unbounded_channel();
        let tasks = JoinSet::new();
        let round = Round { keeper: self, began, machine, sender, arrived, tasks, tunnel: None };
        round.run(observer, stop).await
    }

    fn now(&self, began: Instant) -> Now {
        let elapsed = self.clock.instant().saturating_duration_since(began);
        Now { time: self.clock.now(), elapsed }
    }
}

/// An event, and a warning to report with it.
type Arrived = (Event, Option<String>);

/// The state of a running keeper.
struct Round {
    keeper: Keeper,
    began: Instant,
    machine: Machine,
    sender: UnboundedSender<Arrived>,
    arrived: UnboundedReceiver<Arrived>,
    tasks: JoinSet<()>,
    /// The tunnel that was last reported to the machine.
    tunnel: Option<Option<Tunnel>>,
}

impl Round {
    async fn run(
        mut self,
        observer: &mut dyn KeeperObserver,
        stop: impl Future<Output = Stop>,
    ) -> Outcome {
        let mut stop = pin!(stop);
        let mut is_stopping = false;
        let mut look_at = Duration::ZERO;
        let clock = Arc::clone(&self.keeper.clock);
        loop {
            let now = self.keeper.now(self.began).elapsed;
            let (event, warning) = if now >= look_at {
                look_at = now + LOOK_EVERY;
                match self.look_at_tunnel() {
                    Ok(Some(event)) => (event, None),
                    Ok(None) => (Event::Woke, None),
                    Err(error) => (Event::Woke, Some(error)),
                }
            } else {
                let wake_at = self.machine.wake_at().map_or(look_at, |at| at.min(look_at));
                tokio::select! {
                    Some(arrived) = self.arrived.recv() => arrived,
                    stop = &mut stop, if !is_stopping => {
                        is_stopping = true;
                        (Event::Stop(stop), None)
                    }
                    () = clock.sleep(wake_at.saturating_sub(now)) => (Event::Woke, None),
                }
            };
            if let Some(warning) = warning {
                observer.warn(&warning);
            }
            while self.tasks.try_join_next().is_some() {}
            for action in self.machine.handle(self.keeper.now(self.began), event) {
                match action {
                    Action::Publish(snapshot) => observer.publish(&snapshot),
                    Action::End(outcome) => return outcome,
                    action => self.begin(action),
                }
            }
            observer.progress();
        }
    }

    /// Checks the tunnel, and returns an event if it has changed.
    fn look_at_tunnel(&mut self) -> Result<Option<Event>, String> {
        let found = (self.keeper.find_tunnel)();
        // An error says nothing about the tunnel.
        let found =
            found.map_err(|error| format!("the network interfaces cannot be read: {error}"))?;
        if self.tunnel.as_ref() == Some(&found) {
            return Ok(None);
        }
        self.tunnel = Some(found.clone());
        Ok(Some(Event::Tunnel(found)))
    }

    /// Starts an action, whose event will arrive later.
    fn begin(&mut self, action: Action) {
        let sender = self.sender.clone();
        let send = move |event, warning| drop(sender.send((event, warning)));
        let clock = Arc::clone(&self.keeper.clock);
        match action {
            Action::Save(journal) => {
                let file = Arc::clone(&self.keeper.file);
                self.tasks.spawn_blocking(move || {
                    let saved = file.save(&journal).map_err(|error| error.to_string());
                    send(Event::Saved(saved), None);
                });
            }
            Action::TellClient { index, listen } => {
                let client = Arc::clone(&self.keeper.clients[index]);
                self.tasks.spawn(async move {
                    let asked = within(&*clock, CLIENT_TIME, client.listen_on(&listen)).await;
                    send(answered(index, asked), None);
                });
            }
            Action::ObserveClient { index, listen } => {
                let client = Arc::clone(&self.keeper.clients[index]);
                self.tasks.spawn(async move {
                    let asked = within(&*clock, CLIENT_TIME, client.observe(&listen)).await;
                    send(answered(index, asked), None);
                });
            }
            Action::RunHook { index, snapshot } => {
                let hook = self.keeper.hooks[index].clone();
                self.tasks.spawn(async move {
                    let ended = hook.run(&HookEvent::of(&snapshot)).await;
                    let warning = ended.err().map(|error| error.to_string());
                    send(Event::HookFinished { index, succeeded: warning.is_none() }, warning);
                });
            }
            action => {
                let port = Arc::clone(&self.keeper.port);
                self.tasks.spawn(async move {
                    if let Some(event) = port.perform(action).await {
                        send(event, None);
                    }
                });
            }
        }
    }
}

fn answered(index: usize, asked: Option<Result<ClientState, ClientError>>) -> Event {
    let slow =
        || Err(ClientError::Unreachable(format!("no answer within {} s", CLIENT_TIME.as_secs())));
    Event::ClientAnswered { index, outcome: asked.unwrap_or_else(slow) }
}

/// Performs the machine's actions that call the provider.
struct ProviderPort {
    provider: Arc<dyn Provider>,
    /// Whether a device must be named; not known before the first call.
    takes_device: OnceCell<bool>,
}

impl ProviderPort {
    fn forwards(&self) -> Result<&dyn PortForwards, Error> {
        let none = || Error::invalid("provider", "does not forward ports");
        self.provider.port_forwards().ok_or_else(none)
    }

    /// Returns the device, if one must be named.
    async fn device(
        &self,
        forwards: &dyn PortForwards,
        device: Option<Ipv4Addr>,
    ) -> Result<Option<Ipv4Addr>, Error> {
        let ask = || async { forwards.tunnel_addresses().await.map(|all| all.is_some()) };
        let takes_device = *self.takes_device.get_or_try_init(ask).await?;
        Ok(device.filter(|_| takes_device))
    }

    /// Performs an action's call to the provider; `None` if the action has no such call.
    async fn perform(&self, action: Action) -> Option<Event> {
        Some(match action {
            Action::List { device } => Event::Listed(self.list(device).await),
            Action::Create(mut wanted) => Event::Created(
                async {
                    let forwards = self.forwards()?;
                    wanted.device = self.device(forwards, wanted.device).await?;
                    forwards.create_port_forward(wanted).await
                }
                .await,
            ),
            Action::Renew(forward) => {
                Event::Renewed(async { self.forwards()?.renew_port_forward(&forward).await }.await)
            }
            Action::Delete(forward) => {
                Event::Deleted(async { self.forwards()?.delete_port_forward(&forward).await }.await)
            }
            Action::Check(port) => Event::Checked(
                async {
                    let none = || Error::invalid("provider", "does not check ports");
                    self.forwards()?.port_check().ok_or_else(none)?.check_port(port).await
                }
                .await,
            ),
            _ => return None,
        })
    }

    async fn list(&self, device: Option<Ipv4Addr>) -> Result<Vec<anyvpn_core::PortForward>, Error> {
        let forwards = self.forwards()?;
        let none = || Error::invalid("provider", "does not list its port forwards");
        let list = forwards.port_list().ok_or_else(none)?;
        list.list_port_forwards(self.device(forwards, device).await?).await
    }
}
