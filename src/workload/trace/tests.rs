//! Every format, what is exact about it, and the line of everything that is wrong with it.

use proptest::prelude::*;

use super::*;

/// Reads a file of this name and text.
fn read_with(name: &str, text: &str, keys: &str) -> Result<Recording, InputError> {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let file = folder.path().join(name);
    std::fs::write(&file, text).expect("the folder is ours");
    let mut keys: TraceKeys = toml::from_str(&format!("file = ''\n{keys}")).expect("valid keys");
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
        let rows: Vec<(Time, &str, &str)> = times.iter().map(|&ps| (Time(ps), "a, \"b\"", "net@4")).collect();
        let text = String::from_utf8(to_csv(rows.iter().copied())).unwrap();
        let trace = read(&text).unwrap();
        let expected: Told = times.iter().map(|&ps| (ps, Some("a, \"b\""), Some("net@4"))).collect();
        prop_assert_eq!(told(&trace), expected);
    }

    #[test]
    fn no_file_makes_the_reader_panic(text in "(t_s|TIMESTAMP|Timestamp,Model)?(,tenant)?\n?[0-9a-f.,:\" \n-]{0,60}") {
        let _ = read(&text);
        let _ = read_with("disb.json", &text, "");
    }
}
