//! What seclint predicts of the cases, for the kernel that runs here.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::runtimes::{Case, Header, Observation, Outcome};

/// The predictions by the names of the cases.
pub(crate) fn of(cases: &[Case], header: &Header) -> io::Result<BTreeMap<String, Observation>> {
    let directory = tempfile::tempdir()?;
    let uname = &header.uname;
    let mut seclint = Command::new(env!("CARGO_BIN_EXE_seclint"));
    seclint
        .args(["predict", "--format=json"])
        .arg(format!("--runtime={}@{}", header.runtime, header.version))
        .arg(format!("--libseccomp={}", header.libseccomp))
        .arg(format!(
            "--uname={}|{}|{}",
            uname.release, uname.version, uname.machine
        ));
    let mut names = BTreeMap::new();
    for (number, case) in cases.iter().enumerate() {
        let file = directory.path().join(format!("{number}.json"));
        fs::write(&file, case.config("/mnt/rootfs"))?;
        seclint.arg(&file);
        names.insert(file.display().to_string(), &case.case);
    }
    let output = seclint.stdin(Stdio::null()).output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| io::Error::other(format!("seclint predict: {error}: {stderr}")))?;
    let predictions = report["predictions"].as_array().into_iter().flatten();
    let predictions = predictions.filter_map(|prediction| {
        let case = names.get(prediction["path"].as_str()?)?;
        Some(((*case).clone(), prediction_of(case, prediction)?))
    });
    Ok(predictions.collect())
}

/// A prediction in the words of an observation; `None` if it is not what it should be.
fn prediction_of(case: &str, prediction: &Value) -> Option<Observation> {
    let text = |key: &str| prediction[key].as_str().unwrap_or_default().to_owned();
    let names = |key: &str| serde_json::from_value::<Vec<String>>(prediction[key].clone()).ok();
    Some(Observation {
        case: case.to_owned(),
        outcome: serde_json::from_value::<Outcome>(prediction["outcome"].clone()).ok()?,
        error: text("error"),
        warned: names("warned")?,
        dropped: names("dropped")?,
        key: prediction["key"].as_str().map(str::to_owned),
        hung: false,
        varies: false,
    })
}
