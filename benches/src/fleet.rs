//! The sandbox's VPNGN for `cargo xtask bench fleet`: the server, and customers without a journal.

use std::io::{BufRead as _, Write as _};
use std::num::NonZero;

use anyvpn_http::bulk;
use anyvpn_sandbox::vpngn::{Customer, Status};
use anyvpn_sandbox::{Fault, FaultRule, Sandbox};
use anyvpn_vpngn::ops::AddClient;
use anyvpn_vpngn::{Access, Ensured, StrongPassword, Vpngn};
use futures_util::{StreamExt as _, stream};

use crate::{Failure, Plan, measure};

/// Serves a sandbox with room for this many customers. Prints its port, the API key and the secret key, and answers a
/// line of stdin with a line: `lose PERCENT`, `calls`, `customers` or `customer EMAIL`.
pub async fn serve(customers: usize, seed: u64) -> Result<(), Failure> {
    let builder = Sandbox::builder().seed(seed).vpngn_max_customers(customers).log_capacity(0);
    let sandbox = builder.start().await?;
    let vpngn = sandbox.vpngn();
    let (api_key, secret_key) = (vpngn.api_key(), vpngn.secret_key());
    let port = sandbox.address().port();
    writeln!(std::io::stdout(), "{port} {api_key} {secret_key}")?;
    let answers = tokio::task::spawn_blocking(move || {
        for line in std::io::stdin().lock().lines() {
            let answered = answer(&sandbox, &line?);
            let answered = answered.map_err(|error| std::io::Error::other(error.to_string()))?;
            writeln!(std::io::stdout(), "{answered}")?;
        }
        Ok::<_, std::io::Error>(())
    });
    Ok(answers.await??)
}

fn answer(sandbox: &Sandbox, line: &str) -> Result<String, Failure> {
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["lose", percent] => {
            sandbox.clear_faults();
            let percent = percent.parse()?;
            sandbox
                .inject(FaultRule { percent, ..FaultRule::always(Fault::Wire("reset-after")) })?;
            Ok(percent.to_string())
        }
        ["calls"] => Ok(sandbox.dropped().to_string()),
        ["customers"] => Ok(sandbox.vpngn().customers().to_string()),
        ["customer", email] => {
            let created = sandbox.vpngn().created(email);
            Ok(format!("{created} {}", state(sandbox.vpngn().customer(email))))
        }
        _ => Err("lose PERCENT, calls, customers or customer EMAIL".into()),
    }
}

/// Returns `absent`, `closed`, or the plans of the active products.
fn state(customer: Option<Customer>) -> String {
    match customer {
        None => "absent".to_owned(),
        Some(customer) if customer.closed => "closed".to_owned(),
        Some(customer) => {
            let active =
                customer.products.iter().filter(|product| product.status == Status::Active);
            active.map(|product| product.plan.to_string()).collect::<Vec<_>>().join("+")
        }
    }
}

/// Creates customers with `bulk` of `ensure_client`. Each one must be new.
pub async fn ensure(api_key: &str, secret_key: &str, plan: &Plan) -> Result<(), Failure> {
    let access = Access::server(api_key.to_owned(), secret_key.to_owned());
    let vpngn = &Vpngn::builder(format!("{}/vpngn", plan.base)).credential(access).build()?;
    let in_flight = NonZero::new(plan.in_flight as usize).ok_or("none in flight")?;
    let made = bulk(stream::iter(1..=plan.calls), in_flight, async |number| {
        let email = format!("b{number}@mail.example");
        let mut client = AddClient::new(email, "US".parse()?, 12_u8.try_into()?);
        client.password = Some(StrongPassword::new(format!("Correct_Horse{number}").into())?);
        vpngn.ensure_client(client).await
    });
    let made = made
        .fold(0, async |sum, (_, made)| sum + u64::from(matches!(made, Ok(Ensured::Created(_)))));
    measure(made, plan.calls.into()).await
}
