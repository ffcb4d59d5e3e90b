//! The program as a plugin of kubectl, which finds it by the name of its file.

use std::{env, os::unix::fs::symlink, path::Path, process::Output};

use kuma_workload_testbed::{Kind, Testbed, User, reconciler, space::dataplane};
use tokio::process::Command;

use crate::{Done, counted};

/// Runs the real kubectl, with the plugin on its path.
async fn kubectl(testbed: &Testbed, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("kubectl-kuma_workload");
    symlink(reconciler::program().unwrap(), plugin).unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = Command::new(here.join("build")).output().await.unwrap();
    let programs = String::from_utf8(built.stdout).unwrap();
    let others = env::var_os("PATH").unwrap();
    let mut path = vec![folder.path().to_owned()];
    path.extend(env::split_paths(&others));
    let mut command = Command::new(Path::new(programs.trim_end()).join("kubectl"));
    command
        .args(arguments)
        .env("PATH", env::join_paths(path).unwrap())
        .env("KUBECONFIG", testbed.kubeconfig(User::Admin));
    command.output().await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn kubectl_lists_it_and_hands_over() -> Done {
    let team = counted().await?;
    team.put(Kind::Dataplane, dataplane("web-1", "default", "web"))
        .await?;
    let testbed = Testbed::shared()?;

    let listed = kubectl(testbed, &["plugin", "list"]).await;
    let names = text(&listed.stdout);
    let is_it = |line: &str| line.ends_with("/kubectl-kuma_workload");
    assert!(names.lines().any(is_it), "{listed:?}");
    assert!(
        !text(&listed.stderr).contains("kuma_workload"),
        "{listed:?}"
    );

    let plan = ["kuma-workload", "plan", "--cluster", "-n", &team.name];
    let planned = kubectl(testbed, &plan).await;
    assert!(matches!(planned.status.code(), Some(0 | 1)), "{planned:?}");
    let report = text(&planned.stdout);
    let is_web = |line: &str| line.contains(&team.name) && line.contains("web");
    assert!(report.lines().any(is_web), "{report}");

    // It says how it is called here.
    let wrong = kubectl(testbed, &["kuma-workload", "plan", "--wrong"]).await;
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let usage = "Usage: kubectl kuma-workload plan ";
    assert!(text(&wrong.stderr).contains(usage), "{wrong:?}");
    Ok(())
}
