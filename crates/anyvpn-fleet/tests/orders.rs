//! Orders: import, refusals, and sealed passwords.
#![allow(clippy::unwrap_used, reason = "tests")]

use anyvpn_core::{CustomerEnd, Secret};
use anyvpn_fleet::{End, Format, Order, SealError, Sealed, Sealer, Wanted, read_orders};
use anyvpn_testkit::reference::Reseller;

const CSV: &str = "\
id,key,plan,country,wanted,end,revision
1001,ada@example.com,12,US,active,,1
\"1002\",bob@example.com,1,,suspended,paid-period,3
1003,cy@example.com,,,,2027-03-31T00:00:00Z,
";

#[test]
fn csv_and_json_lines_give_the_same_orders() {
    let orders: Vec<_> = read_orders(CSV.as_bytes(), Format::Csv, Some("shop")).orders;
    assert_eq!(orders.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4]);
    let [ada, bob, cy] = [0, 1, 2].map(|at: usize| orders[at].1.clone());
    assert_eq!((ada.profile.as_str(), ada.plan.as_deref(), ada.revision), ("shop", Some("12"), 1));
    assert_eq!((bob.wanted, bob.end), (Wanted::Suspended, Some(End(CustomerEnd::PaidPeriod))));
    assert_eq!((cy.wanted, cy.plan.clone(), cy.revision), (Wanted::Active, None, 1));
    let json: String =
        [ada, bob, cy].map(|order| serde_json::to_string(&order).unwrap() + "\n\n").concat();
    let again = read_orders(json.as_bytes(), Format::JsonLines, None).orders;
    assert!(again.iter().map(|(_, order)| order).eq(orders.iter().map(|(_, order)| order)));
}

#[test]
fn every_mistake_of_a_file_is_told_with_its_line() {
    let text = "id,key,wanted,end,revision\n1,a,dead,,\n,b,,,\n3,c,,tomorrow,\n4,d,,,-1\n5,\"e\n\",,,\n6,f,,,,x\n";
    let mistakes = read_orders(text.as_bytes(), Format::Csv, Some("shop")).mistakes;
    let told: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    for (told, part) in told.iter().zip([
        "line 2: unknown variant `dead`",
        "line 3: id: must not be empty",
        "line 4: end must be paid-period",
        "line 5: invalid digit",
    ]) {
        assert!(told.starts_with(part), "{told}");
    }
    // A key with a line end is trimmed, and the last line has too many cells.
    assert_eq!(told.len(), 5, "{told:?}");
    let unknown = read_orders("id,key,passwort\n".as_bytes(), Format::Csv, None).mistakes;
    assert!(unknown[0].why.starts_with("unknown column \"passwort\""), "{unknown:?}");
    let json =
        "{\"id\":\"1\",\"key\":\"a\",\"profile\":\"p\"}\n{\"id\":\"1\",\"nonsense\":2}\n[]\n";
    let mistakes = read_orders(json.as_bytes(), Format::JsonLines, None).mistakes;
    assert_eq!(mistakes.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [2, 3]);
    let long = format!("{{\"id\":\"{}\"}}\n", "x".repeat(70_000));
    let mistakes = read_orders(long.as_bytes(), Format::JsonLines, None).mistakes;
    assert_eq!(mistakes[0].why, "the line is longer than 64 KiB");
    for id in ["", " 1", "1\u{202e}", "1\n", &"x".repeat(255)] {
        assert!(Order::new(id, "shop", "key").check().is_err(), "{id:?}");
    }
}

/// A mistake hides neither the other orders nor what is wrong with them.
#[test]
fn the_orders_without_mistakes_are_read_too() {
    let text = "id,key\n1,a\n2,\n3,c\n";
    let file = read_orders(text.as_bytes(), Format::Csv, Some("shop"));
    assert_eq!(file.orders.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
    let told: Vec<_> = file.mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["line 3: order 2: key: must not be empty"]);
}

#[test]
fn the_csv_of_an_export_is_read_without_what_is_no_part_of_an_order() {
    let text = "id,key,state,reason,password\n1,a,done,,secret\n2,b,released,,\n3,c,parked,why,\n";
    let file = read_orders(text.as_bytes(), Format::Csv, Some("shop"));
    let orders: Vec<_> = file.orders.iter().map(|(_, order)| order.clone()).collect();
    assert_eq!(orders, [Order::new("1", "shop", "a"), Order::new("3", "shop", "c")]);
    assert_eq!((file.mistakes, file.ignored), (vec![], vec!["state", "reason", "password"]));
}

#[test]
fn what_the_provider_cannot_reach_is_refused_before_anything_is_sent() {
    let reseller = Reseller::default();
    let mut order = Order::new("1", "shop", "ada");
    order.plan = Some("small".into());
    order.check_reachable(&reseller).unwrap();
    let mut other = order.clone();
    other.plan = Some("no-such-plan".into());
    assert!(other.check_reachable(&reseller).unwrap_err().to_string().contains("small, large"));
    let mut other = order.clone();
    other.end = Some(End(CustomerEnd::NextRun));
    assert!(
        other
            .check_reachable(&reseller)
            .unwrap_err()
            .to_string()
            .contains("must be a time or never")
    );
}

#[test]
fn an_order_changes_by_its_revision_only() {
    let old = Order::new("1", "shop", "ada");
    assert_eq!(old.conflict(&old), None);
    let change = |change: fn(&mut Order)| {
        let mut new = old.clone();
        change(&mut new);
        new.conflict(&old)
    };
    assert_eq!(
        change(|new| (new.wanted, new.plan) = (Wanted::Closed, Some("large".into()))).unwrap(),
        "revision 1 says plan none, not large, and wanted active, not closed; to change the order, use \
         revision 2 or higher"
    );
    assert_eq!(
        change(|new| new.revision = 0).unwrap(),
        "has revision 1 already; nothing else differs"
    );
    assert_eq!(change(|new| (new.wanted, new.revision) = (Wanted::Closed, 2)), None);
    assert!(
        change(|new| (new.key, new.revision) = ("bob".into(), 2))
            .unwrap()
            .contains("key cannot change from ada to bob; use another order id")
    );
    let mut closed = old.clone();
    closed.wanted = Wanted::Closed;
    let mut again = closed.clone();
    (again.wanted, again.revision) = (Wanted::Active, 2);
    assert!(again.conflict(&closed).unwrap().contains("stays closed"));
}

#[test]
fn a_sealed_password_opens_for_its_order_and_key_only() {
    let sealer = Sealer::new(&Sealer::generate_key().unwrap()).unwrap();
    let order = Order::new("1", "shop", "ada");
    let sealed = sealer.generate(&order).unwrap();
    let password = sealer.open(&order, &sealed).unwrap();
    assert_eq!(password.expose().len(), 20);
    assert!(!sealed.0.windows(20).any(|window| window == password.expose().as_bytes()));
    assert_ne!(sealer.generate(&order).unwrap(), sealed);
    let wrong = SealError::Open("2".into());
    assert_eq!(sealer.open(&Order::new("2", "shop", "ada"), &sealed).unwrap_err(), wrong);
    for order in [Order::new("1", "shop2", "ada"), Order::new("1", "shop", "bob")] {
        assert!(sealer.open(&order, &sealed).is_err());
    }
    let other = Sealer::new(&Sealer::generate_key().unwrap()).unwrap();
    assert!(other.open(&order, &sealed).is_err());
    for at in 0..sealed.0.len() {
        let mut changed = sealed.clone();
        changed.0[at] ^= 1;
        assert!(sealer.open(&order, &changed).is_err(), "byte {at}");
    }
    assert!(sealer.open(&order, &Sealed(vec![0; 10])).is_err());
    for key in ["", "c2hvcnQ=", "not base64 at all, no no no no no no no no"] {
        assert_eq!(Sealer::new(&Secret::from(key)).unwrap_err(), SealError::Key);
    }
}
