//! The job of Kubernetes, as its manifest says: with the variables it sets, and no others.

use std::{fs, process::Command};

use crate::{
    stage::{Stage, root, sha256, yaml},
    support::{FILE, SEED, ended},
};

/// Where the program of the stage is, its checksum, and its version.
fn pins(stage: &Stage) -> [(&'static str, String); 3] {
    let program = stage.path("bin/charter");
    [
        ("CHARTER_URL", program.display().to_string()),
        ("CHARTER_SHA256", sha256(&program)),
        ("CHARTER_VERSION", env!("CARGO_PKG_VERSION").to_owned()),
    ]
}

#[test]
fn the_cron_job_runs_with_the_variables_of_its_manifest() {
    let stage = Stage::new(SEED, FILE).live();
    let manifest = fs::read_to_string(root().join("deploy/kubernetes/cronjob.yaml")).unwrap();
    let job = yaml(manifest.split("\n---\n").last().unwrap());
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let containers = ["initContainers", "containers"].map(|name| pod[name].as_array().unwrap());
    let mut last = None;
    for container in containers.into_iter().flatten() {
        let script = container["command"][1].as_str().unwrap();
        let script = root().join("deploy/ci").join(script.rsplit('/').next().unwrap());
        let mut command: Command = stage.bash();
        command.arg(script);
        for variable in container["env"].as_array().unwrap() {
            // What comes from a secret is not needed here.
            let Some(value) = variable["value"].as_str() else { continue };
            let value = value.replace("/work", stage.path("temp").to_str().unwrap());
            let value = value.replace(
                "https://git.acme.com/acme/access.git",
                stage.path("acme/access").to_str().unwrap(),
            );
            command.env(variable["name"].as_str().unwrap(), value);
        }
        if container["name"] == "install" {
            command.envs(pins(&stage));
        }
        let run = ended(command.output().unwrap());
        if container["name"] != "drift" {
            assert_eq!(run.code, Some(0), "{run:?}");
        }
        last = Some(run);
    }
    let run = last.unwrap();
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stdout.contains("cy@acme.com"), "{run:?}");
    assert_eq!(stage.served.calls(), Vec::<String>::new());
}
