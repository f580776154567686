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
    assert!(stderr(&said).contains("use a revision above 1"), "{}", stderr(&said));
    assert!(stderr(&said).contains("line 3: order 1 has the same customer"), "{}", stderr(&said));
    let said =
        failed(2, &mut fleet(&world, &["status", "--database", "postgres://a:b@localhost/c"]));
    assert!(stderr(&said).contains("PGPASSWORD"), "{}", stderr(&said));
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
