//! Every format, what is exact about it, and the line of everything that is wrong with it.

use proptest::prelude::*;

use super::*;
use crate::files::read_toml;

/// Reads a file of this name and text.
fn read_with(name: &str, text: &str, keys: &str) -> Result<Recording, InputError> {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let file = folder.path().join(name);
    std::fs::write(&file, text).expect("the folder is ours");
    let mut keys: TraceKeys = read_toml(&format!("file = ''\n{keys}")).expect("valid keys");
    keys.file = file;
    Recording::read(&keys)
}

fn read(text: &str) -> Result<Recording, InputError> {
    read_with("trace.csv", text, "")
}

type Told<'a> = Vec<(u64, Option<&'a str>, Option<&'a str>)>;

/// Picoseconds, tenant, network.
fn told(trace: &Recording) -> Told<'_> {
    trace.rows.iter().map(|row| (row.time.0, trace.labels.tenant(row), trace.labels.network(row))).collect()
}

#[test]
fn our_own_format_with_and_without_names() {
    let full = read("t_s,tenant,network\n0.5,a,x\n0.000000000001,b,\n1e-3,a,y@2\n").unwrap();
    let expected: Told = vec![
        (1, Some("b"), None),
        (1_000_000_000, Some("a"), Some("y@2")),
        (500_000_000_000, Some("a"), Some("x")),
    ];
    assert_eq!(told(&full), expected);
    assert_eq!(told(&read("t_s\n3\n").unwrap()), [(3_000_000_000_000, None, None)]);
}

#[test]
fn azure_dates_start_at_the_first_request() {
    let text = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-12-31 23:59:59.9799600,4808,10\n\
                2024-01-01 00:00:00.0319600,3180,8\n";
    assert_eq!(told(&read(text).unwrap()), [(0, None, None), (52_000_000_000, None, None)]);
    // The traces of 2024 have an offset.
    let text = "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,1,2\n\
                2024-05-10 00:00:01.009931+00:00,1,2\n";
    assert_eq!(told(&read(text).unwrap())[1].0, 1_000_001_000_000);
}

#[test]
fn burst_gpt_seconds_start_at_the_first_request_and_models_are_networks() {
    let text = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n\
                45,GPT-4,1087,230,1317,API log\n";
    let mapped = read_with("burst.csv", text, "speedup = 8\nmap = { ChatGPT = 'bert' }").unwrap();
    let expected: Told = vec![(0, None, Some("bert")), (5_000_000_000_000, None, Some("GPT-4"))];
    assert_eq!(told(&mapped), expected);
}

#[test]
fn azure_functions_2021_start_at_end_minus_duration() {
    let text =
        "app,func,end_timestamp,duration\nshop,search,10.5,0.5\nshop,pay,12.25,12\nmail,send,11,5e-1\n";
    let expected: Told = vec![
        (0, Some("shop"), Some("pay")),
        (9_750_000_000_000, Some("shop"), Some("search")),
        (10_250_000_000_000, Some("mail"), Some("send")),
    ];
    assert_eq!(told(&read(text).unwrap()), expected);
}

const MINUTES: &str = "HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,shop,search,http,300,0,2\n\
                       o,shop,pay,queue,0,1,0\np,mail,send,timer,1,1,0\n";

#[test]
fn azure_functions_2019_are_drawn_within_their_minutes() {
    let trace = read(MINUTES).unwrap();
    let of = |tenant: &str, network: &str| -> Vec<f64> {
        let own = told(&trace).into_iter().filter(|row| *row == (row.0, Some(tenant), Some(network)));
        own.map(|(ps, ..)| ps as f64 / 60e12).collect()
    };
    let search = of("shop", "search");
    assert_eq!(search.iter().map(|minute| minute.floor()).filter(|minute| *minute == 0.0).count(), 300);
    assert!(search[300..].iter().all(|minute| (2.0..3.0).contains(minute)) && search.len() == 302);
    // A uniform sample of 300 has its mean within 4 standard errors of 1 / sqrt(12 x 300) of the middle.
    let mean = search[..300].iter().sum::<f64>() / 300.0;
    assert!((mean - 0.5).abs() < 4.0 / 60.0, "{mean}");
    assert!(matches!(of("shop", "pay")[..], [minute] if (1.0..2.0).contains(&minute)));
    assert_eq!(of("mail", "send").iter().map(|minute| minute.floor()).collect::<Vec<_>>(), [0.0, 1.0]);
    assert!(trace.rows.is_sorted_by_key(|row| row.time));
    // Other rows and the order of the file do not matter.
    let lines: Vec<&str> = MINUTES.lines().collect();
    let alone = read(&format!("{}\n{}\n", lines[0], lines[3])).unwrap();
    assert_eq!(told(&alone).iter().map(|row| row.0 as f64 / 60e12).collect::<Vec<_>>(), of("mail", "send"));
    assert_eq!(told(&trace), told(&read(MINUTES).unwrap()));
}

const DISB: &str = r#"{ "time": 1, "tasks": [
  { "id": "camera", "load": { "type": "periodic", "frequency": 4 },
    "client": { "name": "c", "model_name": "resnet152", "batch_size": 2, "triton_grpc_addr": "localhost" } },
  { "strategy": { "type": "trace", "trace": [900, 120, 1000] }, "client": { "name": "speech" } },
  { "id": "noise", "load": { "type": "poisson", "frequency": 400 }, "client": { "model_name": "vgg19" } },
  { "id": "background", "load": { "type": "continuous" }, "client": { "model_name": "vgg19" } }
] }"#;

#[test]
fn disb_tasks_send_until_the_time_is_over() {
    let trace = read_with("disb.json", DISB, "").unwrap();
    let of = |tenant: &str| -> Vec<u64> {
        let own = trace.rows.iter().filter(|row| trace.labels.tenant(row) == Some(tenant));
        own.map(|row| row.time.0 / 1_000_000_000).collect()
    };
    assert_eq!(of("camera"), [0, 250, 500, 750]);
    assert_eq!(of("speech"), [120, 900]);
    let camera = trace.rows.iter().find(|row| trace.labels.tenant(row) == Some("camera")).unwrap();
    assert_eq!(trace.labels.network(camera), Some("resnet152@2"));
    // 400 in the mean, standard deviation 20.
    assert!((320..480).contains(&of("noise").len()), "{}", of("noise").len());
    assert_eq!(trace.left_out.len(), 1);
    assert!(trace.left_out[0].contains("background"), "{:?}", trace.left_out);
    assert_eq!(told(&trace), told(&read_with("disb.json", DISB, "").unwrap()));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let cases = [
        ("t_s\n1\n-2\n", Some(3), "not a time"),
        ("t_s\nsoon\n", Some(2), "`soon`"),
        ("t_s\n1\nNaN\n", Some(3), "not a time"),
        ("t_s\n1\n\n\n1e99\n", Some(5), "clock"),
        ("t_s\n.5.5\n", Some(2), "not a time"),
        ("t_s,tenant\n1,a\n2\n", Some(3), "1 fields"),
        ("t_s,model\n1,a\n", Some(1), "unknown column `model`"),
        ("time\n1\n", Some(1), "not a known trace"),
        ("", Some(1), "not a known trace"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-31 00:00:00,1,1\n", Some(2), "not a date"),
        ("t_s\n", None, "no requests"),
        ("app,func,end_timestamp\n", Some(1), "no column `duration`"),
        ("func,end_timestamp,duration\n", Some(1), "no column `app`"),
        ("app,func,end_timestamp,duration\na,f,3,-1\n", Some(2), "column `duration`: `-1` is not a time"),
        ("app,func,end_timestamp,duration\na,f,3,1\na,f,,1\n", Some(3), "not a time"),
        ("app,func,end_timestamp,duration\na,f,3\n", Some(2), "3 fields"),
        ("HashApp,HashFunction,1,3\n", Some(1), "no column `2`: expected all minutes from 1 on"),
        ("HashApp,HashFunction\n", Some(1), "no column `1`"),
        ("HashApp,HashFunction,1,2,2\n", Some(1), "column `2`: expected HashOwner"),
        ("HashApp,HashFunction,1,1441\n", Some(1), "column `1441`: expected HashOwner"),
        ("HashFunction,1\n", Some(1), "no column `HashApp`"),
        (
            "HashApp,HashFunction,1,2\na,f,1,0\na,g,1,few\n",
            Some(3),
            "column `2`: `few`: expected a whole number",
        ),
        ("HashApp,HashFunction,1,2\na,f,1,\n", Some(2), "column `2`: it is empty"),
        ("HashApp,HashFunction,1\na,,1\n", Some(2), "column `HashFunction`: is empty"),
        ("HashApp,HashFunction,1\na,f,9000000\na,g,1000001\n", Some(3), "at most 10000000 requests a minute"),
        ("HashApp,HashFunction,1\na,f,0\n", None, "no requests"),
    ];
    for (text, line, part) in cases {
        let error = read(text).unwrap_err();
        assert_eq!(error.line, line, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let json = [
        ("{ \"time\": 1,\n \"tasks\": [{}]}", Some(2), "load"),
        ("{ \"time\": -1, \"tasks\": []}", None, "`time` is -1"),
        ("{ \"time\": 1, \"tasks\": []}", None, "no requests"),
        (&DISB.replace("400", "-4"), None, "task `noise`"),
        (&DISB.replace("\"poisson\"", "\"uniform\""), Some(5), "uniform"),
    ];
    for (text, line, part) in json {
        let error = read_with("disb.json", text, "").unwrap_err();
        assert_eq!(error.line, line, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = read_with("trace.csv", "t_s\n1\n5e6\n", "speedup = 0.1").unwrap_err();
    assert!(error.line == Some(3) && error.to_string().contains("clock"), "{error}");
    let error = read_with("trace.csv", "t_s,tenant\n1,a\n", "map = { b = 'c' }").unwrap_err();
    assert!(error.to_string().contains("`b`") && error.to_string().contains("it has: a"), "{error}");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_to_the_picosecond(mut times in prop::collection::vec(0..u64::MAX, 1..20)) {
        times.sort_unstable();
        // Beyond 2^53 ps, two and a half hours, a deadline has more digits than a number holds.
        let row = |&ps: &u64| {
            let within = (ps % 3 > 0).then_some(Time(1 + ps % (1 << 50)));
            Written { time: Time(ps), tenant: "a, \"b\"", network: "net@4", priority: (ps % 12) as u32, within }
        };
        let rows: Vec<Written> = times.iter().map(row).collect();
        for more in [MoreColumns::default(), MoreColumns { priority: true, deadline: true }] {
            let text = String::from_utf8(to_csv(rows.iter().copied(), more)).unwrap();
            let trace = read(&text).unwrap();
            let expected: Told = times.iter().map(|&ps| (ps, Some("a, \"b\""), Some("net@4"))).collect();
            prop_assert_eq!(told(&trace), expected);
            for (read, row) in trace.rows.iter().zip(&rows) {
                prop_assert_eq!(read.priority, more.priority.then_some(row.priority));
                prop_assert_eq!(read.within, row.within.filter(|_| more.deadline));
            }
        }
    }

    #[test]
    fn no_file_makes_the_reader_panic(text in "(t_s|TIMESTAMP|Timestamp,Model|app,func,end_timestamp,duration|HashApp,HashFunction,1)?(,tenant)?\n?[0-9a-f.,:\" \n-]{0,60}") {
        let _ = read(&text);
        let _ = read_with("disb.json", &text, "");
    }
}
