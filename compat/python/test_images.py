"""Images that an account makes of its sessions, on a server with an image that is a folder."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_openapi.exceptions import ClientException
from own_server import KEY, own_server

LIMIT = 60
PROGRAMS = ["/usr/bin/sh", "/usr/bin/sleep"]
ENTRY = "[Desktop Entry]\nType=Application\nName=Wait\nExec=wait\n"


def system(folder):
    """A system that is no more than a shell, with the libraries of this machine, and an app that draws nothing."""
    said = subprocess.run(["ldd", *PROGRAMS], capture_output=True, text=True, check=True).stdout
    libraries = [word for word in said.split() if word.startswith("/") and not word.endswith(":")]
    for path in [*PROGRAMS, *libraries]:
        copy = folder / path.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    (folder / "bin").symlink_to("usr/bin")
    app = folder / "usr/bin/wait"
    app.write_text("#!/bin/sh\nexec sleep 1000\n")
    app.chmod(0o755)
    entries = folder / "usr/share/applications"
    entries.mkdir(parents=True)
    (entries / "wait.desktop").write_text(ENTRY)


@pytest.fixture(scope="module")
def own(client_with):
    """A client of a server with the image `img-wait`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Sessions of a server that is root are users of their own.
        folder.chmod(0o755)
        system(folder / "wait")
        config = folder / "greenroom.toml"
        config.write_text(f"[[images]]\nid = 'img-wait'\nname = 'Wait'\ndir = '{folder}/wait'\n")
        with own_server("--config", config) as server:
            yield client_with(endpoint=server.endpoint, access_key_id=KEY[0], access_key_secret=KEY[1])


@pytest.fixture(scope="module")
def session(own, order):
    """The ids of a group in debug mode with that image, and of its session."""
    debugged = models.CreateAppInstanceGroupRequestRuntimePolicy(debug_mode="ON")
    ask = order(app_center_image_id="img-wait", pre_open_app_id="ca-wait", runtime_policy=debugged)
    group = own.create_app_instance_group(ask).body.app_instance_group_model.app_instance_group_id
    listed = models.ListPersistentAppInstancesRequest(product_type="CloudApp", app_instance_group_id=group)
    (model,) = own.list_persistent_app_instances(listed).body.persistent_app_instance_models
    yield group, model.app_instance_persistent_id
    delete = models.DeleteAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=group)
    own.delete_app_instance_group(delete)


def listed(client, image):
    return client.list_image(models.ListImageRequest(image_id=image)).body.data


def delete(client, image):
    return client.delete_image(models.DeleteImageRequest(image_id=image)).body


def made(client, ask):
    """The id of an image that `ask` has made, once the session has begun to change its own."""
    end = time.monotonic() + LIMIT
    while True:
        image = once_placed(ask, end)
        while (model := listed(client, image)[0]).status == "CREATING":
            assert time.monotonic() < end, "the image is still being made"
            time.sleep(0.1)
        if model.status == "AVAILABLE":
            return image
        assert time.monotonic() < end, model.description
        delete(client, image)


def once_placed(ask, end):
    while True:
        try:
            return ask()
        except ClientException as refused:
            if refused.code != "Instance.PhysicalNodeNotExist" or time.monotonic() > end:
                raise
            time.sleep(0.1)


def test_an_image_of_a_session_is_made_listed_and_deleted(own, session):
    ask = models.CreateImageByInstanceRequest(sub_instance_id=session[1], image_name="Mine", description="with tools")
    image = made(own, lambda: own.create_image_by_instance(ask).body.data.image_id)
    (model,) = listed(own, image)
    assert (model.image_name, model.description, model.parent_image_id) == ("Mine", "with tools", "img-wait")
    assert (model.image_type, [app.app_id for app in model.app_list]) == ("User", ["ca-wait"])
    body = delete(own, image)
    assert (body.code, body.data, body.success) == ("200", True, True)
    assert listed(own, image) == []


def test_a_group_in_debug_mode_stands_for_its_session(own, session):
    ask = models.CreateImageFromAppInstanceGroupRequest(
        product_type="CloudApp", app_instance_group_id=session[0], app_center_image_name="Mine"
    )
    image = made(own, lambda: own.create_image_from_app_instance_group(ask).body.image_id)
    assert delete(own, image).success


def test_what_is_the_system_s_stays(own):
    with pytest.raises(ClientException) as refused:
        delete(own, "img-wait")
    assert refused.value.code == "ImageDeleteFailed.NotAllow"
