//! Runs `anyvpn fleet` with the sandbox: orders are imported, workers are killed, and each customer
//! is created once.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyvpn_sandbox::{Fault, FaultRule};
use common::{World, json, stderr};

/// Returns the command for VPNGN, with its database and key in the world's folder.
fn fleet(world: &World, words: &[&str]) -> Command {
    let mut command = world.vpngn(&[&["fleet"], words].concat());
    command.env("XDG_DATA_HOME", world.folder.path());
    command
}

fn done(command: &mut Command) -> String {
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{}", stderr(&ran));
    String::from_utf8(ran.stdout).unwrap()
}

fn failed(code: i32, command: &mut Command) -> Output {
    let ran = command.output().unwrap();
    assert_eq!(ran.status.code(), Some(code), "{}", stderr(&ran));
    ran
}

fn write(world: &World, text: &str) -> String {
    let file = world.path("orders.csv");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Creates an order for each number.
fn orders(world: &World, count: usize) -> String {
    let rows = (1..=count).map(|number| format!("{number},c{number}@mail.example,12,US\n"));
    write(world, &("id,key,plan,country\n".to_owned() + &rows.collect::<String>()))
}

fn count(world: &World, state: &str) -> u64 {
    json(&mut fleet(world, &["status"]))["profiles"]["vpngn"][state].as_u64().unwrap_or(0)
}

#[test]
fn what_cannot_be_done_is_refused_with_its_line_and_nothing_is_imported() {
    let world = World::new();
    let file = write(
        &world,
        "id,key,plan,country,wanted\n1,a@mail.example,12,US,active\n2,b@mail.example,12,US,suspended\n\
         3,c@mail.example,7,US,active\n4,d@mail.example,12,,active\n",
    );
    let ran = failed(2, &mut fleet(&world, &["import", &file]));
    let said = stderr(&ran);
    for line in [
        "line 3: order 2: wanted: the provider has no call that suspends a customer",
        "line 4: order 3: plan: must be one of 1, 6, 12, 24, 36",
        "line 5: order 4: country: is required by VPNGN",
        "error: 3 orders have mistakes",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert_eq!(done(&mut fleet(&world, &["status"])), "There are no orders.\n");
    let file = write(&world, "id,key,plan,country\n1,a@mail.example,12,US\n");
    done(&mut fleet(&world, &["import", &file]));
    let file =
        write(&world, "id,key,plan,country\n1,a@mail.example,24,US\n2,a@mail.example,1,US\n");
    let said = failed(2, &mut fleet(&world, &["import", &file]));
    for line in [
        "line 2: order 1: revision 1 says plan 12, not 24; to change the order, use revision 2 or higher",
        "line 3: order 2: order 1 has the same customer",
    ] {
        assert!(stderr(&said).contains(line), "{}", stderr(&said));
    }
    let said =
        failed(2, &mut fleet(&world, &["status", "--database", "postgres://a:b@localhost/c"]));
    assert!(stderr(&said).contains("PGPASSWORD"), "{}", stderr(&said));
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once_in_the_order_of_their_lines() {
    let world = World::new();
    let file = write(&world, "id,key,plan,country\n1,a@mail.example,12,US\n");
    done(&mut fleet(&world, &["import", &file]));
    let file = write(
        &world,
        "id,key,plan,country,end\n1,a@mail.example,24,US,\n2,b@mail.example,12,US,soon\n\
         3,c@mail.example,7,US,\n4,d@mail.example,12,US,\n",
    );
    let ran = failed(2, &mut fleet(&world, &["import", &file]));
    let said = stderr(&ran);
    let lines: Vec<_> = said.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(lines[..4], ["line 2", "line 3", "line 4", "error"], "{said}");
    assert!(said.contains("error: 3 orders have mistakes\n"), "{said}");
    assert_eq!(count(&world, "pending"), 1);
    let many = (1..=25).map(|number| format!("{number},,12,US\n")).collect::<String>();
    let file = write(&world, &("id,key,plan,country\n".to_owned() + &many));
    let ran = failed(2, &mut fleet(&world, &["import", &file]));
    let said = stderr(&ran);
    assert!(said.contains("25 orders have mistakes; 5 are not shown"), "{said}");
}

#[test]
fn a_dry_run_writes_nothing_and_neither_does_a_look() {
    let world = World::new();
    let file = orders(&world, 2);
    let said = done(&mut fleet(&world, &["import", &file, "--dry-run"]));
    assert_eq!(said, "Nothing was imported. It would be: 2 new, 0 changed, 0 the same.\n");
    let named = format!("sqlite:{}", world.path("other.db").display());
    done(&mut fleet(&world, &["import", &file, "--dry-run", "--database", &named]));
    assert_eq!(done(&mut fleet(&world, &["status"])), "There are no orders.\n");
    failed(4, &mut fleet(&world, &["explain", "1"]));
    let left: Vec<_> = std::fs::read_dir(world.folder.path()).unwrap().flatten().collect();
    let names: Vec<_> = left.iter().map(|entry| entry.file_name()).collect();
    assert!(!names.iter().any(|name| name == "anyvpn" || name == "other.db"), "{names:?}");
    done(&mut fleet(&world, &["import", &file]));
    let said = done(&mut fleet(&world, &["import", &file, "--dry-run"]));
    assert!(said.ends_with("0 new, 0 changed, 2 the same.\n"), "{said}");
}

#[test]
fn an_export_can_be_imported_again() {
    let world = World::new();
    let text = "id,key,plan,country,wanted,end,revision\n1,a@mail.example,12,US,active,,3\n\
                2,b@mail.example,24,DE,closed,next-run,1\n3,c@mail.example,1,US,active,,1\n";
    done(&mut fleet(&world, &["import", &write(&world, text)]));
    done(&mut fleet(&world, &["release", "3", "--yes"]));
    let export = world.path("export.csv");
    std::fs::write(&export, done(&mut fleet(&world, &["export", "--reveal"]))).unwrap();
    let other = format!("sqlite:{}", world.path("other.db").display());
    let export = export.to_str().unwrap();
    let ran = fleet(&world, &["import", export, "--database", &other]).output().unwrap();
    assert!(ran.status.success(), "{}", stderr(&ran));
    let said = stderr(&ran);
    assert!(said.contains("Not imported: state, reason, password."), "{said}");
    let orders = |database: &[&str]| {
        let exported = json(&mut fleet(&world, &[&["export"], database].concat()));
        let mut orders = exported["orders"].as_array().unwrap().clone();
        orders.retain(|order| order["state"] != "released");
        // It is due since it was imported.
        orders.iter_mut().for_each(|order| order["due"] = true.into());
        orders
    };
    assert_eq!(orders(&[]), orders(&["--database", &other]));
    assert_eq!(orders(&[]).len(), 2);
}

#[test]
fn a_run_says_for_how_long_a_killed_worker_has_its_orders() {
    let world = World::new();
    done(&mut fleet(&world, &["import", &orders(&world, 3)]));
    world.sandbox.inject(FaultRule::always(Fault::Delay(Duration::from_secs(60)))).unwrap();
    let mut worker = fleet(&world, &["run", "--lease", "3"]);
    let mut worker = worker.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let held = || json(&mut fleet(&world, &["status"]))["held"].as_u64().unwrap();
    for _ in 0..500 {
        if held() == 3 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    worker.kill().unwrap();
    worker.wait().unwrap();
    let said = done(&mut fleet(&world, &["status"]));
    assert!(
        said.contains("Workers have 3 orders.\nA killed worker's orders are free by "),
        "{said}"
    );
    world.sandbox.clear_faults();
    let ran = fleet(&world, &["run"]).output().unwrap();
    assert!(ran.status.success(), "{}", stderr(&ran));
    assert!(stderr(&ran).contains("Workers have 3 orders."), "{}", stderr(&ran));
    assert_eq!(held(), 0);
}

#[test]
fn a_run_that_leaves_parked_orders_says_so_and_has_an_exit_code_of_its_own() {
    let world = World::new();
    done(&mut fleet(&world, &["import", &orders(&world, 2)]));
    done(&mut fleet(&world, &["run"]));
    // The customer of another order was there before.
    done(&mut fleet(&world, &["release", "1", "--yes"]));
    let again = write(&world, "id,key,plan,country\n11,c1@mail.example,12,US\n");
    done(&mut fleet(&world, &["import", &again]));
    let ran = failed(10, &mut fleet(&world, &["run"]));
    let said = String::from_utf8(ran.stdout).unwrap();
    let line = "1 parked order waits for a person: anyvpn fleet list --state parked";
    assert!(said.contains(line), "{said}");
}

#[test]
fn a_file_that_is_no_plan_is_named_and_nothing_is_sent() {
    let world = World::new();
    done(&mut fleet(&world, &["import", &orders(&world, 2)]));
    let plan = world.path("plan.json");
    let name = plan.to_str().unwrap();
    done(&mut fleet(&world, &["plan", "--output", name]));
    let whole = std::fs::read_to_string(&plan).unwrap();
    let half = &whole[..whole.len() / 2];
    for (text, what) in [
        ("", "is empty"),
        (half, "is cut off: a part of the plan is missing"),
        ("{}", "is not a plan: missing field `orders`"),
        // A step of a version that wrote other fields.
        ("{\"orders\":2,\"steps\":[{\"order\":\"1\"}]}", "is not a plan: missing field `profile`"),
        ("id,key\n", "is not a plan: "),
    ] {
        std::fs::write(&plan, text).unwrap();
        let ran = failed(2, &mut fleet(&world, &["run", "--plan", name]));
        let said = stderr(&ran);
        assert!(said.contains(&format!("{name} {what}")), "{said}");
        let again = format!("anyvpn fleet plan --force --output {name}");
        assert!(said.contains(&again), "{said}");
    }
    assert_eq!(count(&world, "pending"), 2);
}

#[test]
fn a_plan_that_no_longer_holds_is_not_done_and_neither_is_one_that_is_too_large() {
    let world = World::new();
    let file = orders(&world, 5);
    done(&mut fleet(&world, &["import", &file]));
    let plan = world.path("plan.json");
    let plan = plan.to_str().unwrap();
    failed(5, &mut fleet(&world, &["plan", "--max-changes", "4"]));
    failed(5, &mut fleet(&world, &["run", "--max-share", "99"]));
    done(&mut fleet(&world, &["plan", "--output", plan]));
    let change = write(&world, "id,key,plan,country,revision\n3,c3@mail.example,24,US,2\n");
    done(&mut fleet(&world, &["import", &change]));
    let said = failed(2, &mut fleet(&world, &["run", "--plan", plan]));
    assert!(stderr(&said).contains("order 3 changed since the plan was made"), "{}", stderr(&said));
    assert_eq!(world.sandbox.vpngn().created("c1@mail.example"), 0);
    done(&mut fleet(&world, &["plan", "--output", plan, "--force"]));
    done(&mut fleet(&world, &["run", "--plan", plan]));
    assert_eq!(count(&world, "done"), 5);
    assert_eq!(world.sandbox.vpngn().created("c3@mail.example"), 1);
}

/// For half a minute after an operation, a reading from a replica could be old, so the workers wait.
#[test]
fn a_plan_shows_what_follows_an_operation_that_has_not_settled() {
    let world = World::new();
    done(&mut fleet(&world, &["import", &orders(&world, 3)]));
    done(&mut fleet(&world, &["run"]));
    let changes = "id,key,plan,country,wanted,revision\n1,c1@mail.example,24,US,active,2\n\
                   2,c2@mail.example,12,US,closed,2\n";
    done(&mut fleet(&world, &["import", &write(&world, changes)]));
    let plan = json(&mut fleet(&world, &["plan"]));
    let steps = plan["steps"].as_array().unwrap();
    let operations: Vec<_> = steps.iter().map(|step| step["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["change-plan", "close"], "{plan}");
    let plan = world.path("plan.json");
    let plan = plan.to_str().unwrap();
    failed(5, &mut fleet(&world, &["plan", "--max-changes", "1"]));
    done(&mut fleet(&world, &["plan", "--output", plan]));
    failed(5, &mut fleet(&world, &["run", "--plan", plan, "--max-changes", "1"]));
    assert_eq!(count(&world, "pending"), 2);
}

#[test]
fn a_killed_worker_leaves_no_customer_twice_and_none_out() {
    let world = World::new();
    let file = orders(&world, 60);
    done(&mut fleet(&world, &["import", &file]));
    let lost = FaultRule::sometimes(30, "vpngn.add-client", Fault::Wire("reset-after"));
    world.sandbox.inject(lost).unwrap();
    for round in 0..3 {
        let mut worker = fleet(&world, &["run", "--lease", "2", "--in-flight", "4"]);
        let mut worker = worker.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Waits until it has handled some of the orders.
        for _ in 0..500 {
            if count(&world, "done") > 5 * (round + 1) || worker.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    done(&mut fleet(&world, &["run", "--lease", "2"]));
    assert_eq!(count(&world, "done"), 60);
    for number in 1..=60 {
        assert_eq!(
            world.sandbox.vpngn().created(&format!("c{number}@mail.example")),
            1,
            "{number}"
        );
    }
    // The database contains no password, and none is printed unless requested.
    let exported = json(&mut fleet(&world, &["export", "--reveal"]));
    let orders = exported["orders"].as_array().unwrap();
    let passwords: Vec<_> = orders.iter().filter_map(|order| order["password"].as_str()).collect();
    assert!(!passwords.is_empty() && passwords.len() < 60, "{}", passwords.len());
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(world.folder.path().join("anyvpn")).unwrap() {
        seen.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    for words in [&["export"][..], &["list"], &["explain", "1"], &["plan"], &["export", "--json"]] {
        seen.extend(done(&mut fleet(&world, words)).into_bytes());
    }
    for password in passwords {
        assert!(!seen.windows(password.len()).any(|window| window == password.as_bytes()));
    }
}

#[test]
#[cfg(unix)]
fn a_service_ends_by_sigterm_when_its_calls_are_over_and_shows_metrics_meanwhile() {
    use std::io::{Read as _, Write as _};
    let world = World::new();
    let file = orders(&world, 10);
    done(&mut fleet(&world, &["import", &file]));
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut service = fleet(&world, &["run", "--service", "--metrics", &port, "--json"]);
    let service = service.stdout(Stdio::piped()).spawn().unwrap();
    let ask = || -> std::io::Result<String> {
        let mut stream = std::net::TcpStream::connect(&port)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    };
    let shown = [
        "anyvpn_fleet_orders{profile=\"vpngn\",state=\"done\"} 10\n",
        "anyvpn_fleet_operations_total{operation=\"create\"} 10\n",
    ];
    let is_done = |reply: &String| shown.iter().all(|line| reply.contains(line));
    let mut reply = String::new();
    for _ in 0..1000 {
        reply = ask().unwrap_or_default();
        if is_done(&reply) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(is_done(&reply), "{reply}");
    let id = service.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let ran = service.wait_with_output().unwrap();
    assert!(ran.status.success());
    let answer: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(answer["sent"]["create"], 10);
    let outside = failed(2, &mut fleet(&world, &["run", "--metrics", "0.0.0.0:0"]));
    assert!(stderr(&outside).contains("other machines could reach"), "{}", stderr(&outside));
}

#[test]
fn a_refused_key_stops_the_profile_until_a_person_goes_on() {
    let world = World::new();
    let file = orders(&world, 3);
    done(&mut fleet(&world, &["import", &file]));
    let mut wrong = fleet(&world, &["run"]);
    wrong.env("ANYVPN_VPNGN_SECRET_KEY", "wrong");
    let said = failed(3, &mut wrong);
    assert!(String::from_utf8_lossy(&said.stdout).contains("stopped: "), "{said:?}");
    // The right key alone is not enough, because the profile is stopped.
    failed(3, &mut fleet(&world, &["run"]));
    assert_eq!(count(&world, "pending"), 3);
    done(&mut fleet(&world, &["retry"]));
    done(&mut fleet(&world, &["run"]));
    assert_eq!(count(&world, "done"), 3);
}
