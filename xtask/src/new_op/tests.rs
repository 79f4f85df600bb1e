//! The draft of an operation, against the golden text and against the whole contract.

use super::*;

const GOLDEN: &str = include_str!("golden/modify_node_pool_attribute.rs.txt");
const GOLDEN_CASE: &str = include_str!("golden/test_modify_node_pool_attribute.py.txt");

/// A checkout with nothing but what the command reads, removed with the value.
struct Copy(PathBuf);

impl Copy {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("xtask-new-op-{}-{name}", std::process::id()));
        for folder in [OPS, COMPAT, "contract"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let real = Workspace::find().unwrap();
        for entry in fs::read_dir(real.path("contract")).unwrap().flatten() {
            if entry.path().is_file() {
                fs::copy(entry.path(), root.join("contract").join(entry.file_name())).unwrap();
            }
        }
        fs::write(root.join(OPS).join("mod.rs"), LIST).unwrap();
        Self(root)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap()
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

const LIST: &str = "//! The list.\n\noperations![\n    list_image::ListImage,\n    list_regions::ListRegions,\n];\n";

#[test]
fn the_draft_is_the_golden_one() {
    let copy = Copy::new("golden");
    add(&copy.0, "ModifyNodePoolAttribute", None).unwrap();
    assert_eq!(
        copy.read("crates/server/src/ops/modify_node_pool_attribute.rs"),
        GOLDEN
    );
    assert_eq!(
        copy.read("compat/python/test_modify_node_pool_attribute.py"),
        GOLDEN_CASE
    );
}

#[test]
fn the_list_stays_in_order_and_everything_else_as_it_was() {
    let copy = Copy::new("list");
    add(&copy.0, "ListNodes", None).unwrap();
    let expected = LIST.replace(
        "    list_regions",
        "    list_nodes::ListNodes,\n    list_regions",
    );
    assert_eq!(copy.read("crates/server/src/ops/mod.rs"), expected);
}

#[test]
fn another_product_s_operation_goes_to_its_folder_and_after_its_name() {
    let copy = Copy::new("product");
    let list = "operations![\n    list_image::ListImage,\n    [RAM in ram]\n    get_user::GetUser,\n    \
        [STS in sts]\n    assume_role::AssumeRole,\n];\n";
    fs::write(copy.0.join(OPS).join("mod.rs"), list).unwrap();
    fs::create_dir(copy.0.join(OPS).join("ram")).unwrap();
    add(&copy.0, "DeleteUser", None).unwrap();
    add(&copy.0, "ListNodes", None).unwrap();
    let expected = list
        .replace("    get_user", "    delete_user::DeleteUser,\n    get_user")
        .replace("Image,\n", "Image,\n    list_nodes::ListNodes,\n");
    assert_eq!(copy.read("crates/server/src/ops/mod.rs"), expected);
    let draft = copy.read("crates/server/src/ops/ram/delete_user.rs");
    assert!(draft.contains("use crate::ops::prelude::*;"), "{draft}");
}

#[test]
fn an_operation_is_not_drafted_over() {
    let copy = Copy::new("twice");
    add(&copy.0, "ListNodes", None).unwrap();
    assert!(add(&copy.0, "ListNodes", None).is_err());
    assert!(
        add(&copy.0, "ListToasters", None)
            .unwrap_err()
            .to_string()
            .contains("ListToasters")
    );
}

#[test]
fn every_operation_of_the_contract_can_be_drafted() {
    let contract = Workspace::find().unwrap().path("contract");
    let text = fs::read_to_string(contract.join("appstream-center-2021-09-01.json")).unwrap();
    let contract: serde_json::Value = serde_json::from_str(&text).unwrap();
    let copy = Copy::new("all");
    let mut files = Vec::new();
    for (action, recorded) in contract["operations"].as_object().unwrap() {
        let file = copy.0.join(format!("{}.rs", names::snake(action)));
        fs::write(
            &file,
            rust::draft(&Operation::parse(
                "appstream-center",
                action,
                "2021-09-01",
                recorded,
            )),
        )
        .unwrap();
        files.push(file);
    }
    assert_eq!(files.len(), 92);
    // rustfmt reads what it formats: a draft that is no Rust fails here.
    Run::new("rustfmt")
        .args(["--edition", "2024"])
        .args(&files)
        .read()
        .unwrap();
}
