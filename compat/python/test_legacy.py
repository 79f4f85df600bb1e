"""The vendor's older core: signature v1, GET and POST, JSON and XML, and what it makes of a refusal."""

import json
import os
import xml.etree.ElementTree as ElementTree

import answers
import pytest
import requests
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

GROUP = "aig-00000000000000000"


@pytest.fixture(scope="module")
def core():
    return AcsClient(
        os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"], "cn-shanghai"
    )


def ask(action, method="POST", form="JSON", query=(), body=()):
    request = CommonRequest()
    request.set_domain(os.environ["APPSTREAM_ENDPOINT"])
    request.set_protocol_type("http")
    request.set_version("2021-09-01")
    request.set_action_name(action)
    request.set_method(method)
    request.set_accept_format(form)
    for name, value in query:
        request.add_query_param(name, value)
    for name, value in body:
        request.add_body_params(name, value)
    return request


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_get_and_post_answer_the_same(core, method):
    answer = json.loads(core.do_action_with_exception(ask("ListRegions", method)))
    assert answer["RegionModels"][0]["regionId"] == "cn-shanghai"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_in_json_is_held_against_the_contract(core, method):
    before = answers.counted
    core.do_action_with_exception(ask("ListRegions", method))
    assert answers.counted == before + 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_parameter_may_be_in_the_query_or_in_the_form(core, method):
    named = [("ProductType", "CloudApp"), ("AppInstanceGroupId", GROUP)]
    for place in ({"query": named}, {"body": named}, {"query": named[:1], "body": named[1:]}):
        if method == "GET" and "body" in place:
            continue
        with pytest.raises(ServerException) as told:
            core.do_action_with_exception(ask("GetAppInstanceGroup", method, **place))
        assert told.value.get_error_code() == "InvalidAppInstanceGroup.NotFound"


def in_xml(core, *request, **parameters):
    """The root of an answer in XML, and its status: the call that raises exceptions always asks for JSON."""
    status, headers, body = core.get_response(ask(*request, form="XML", **parameters))
    # Letter by letter what this core compares with when it looks for an error in XML.
    assert headers["Content-Type"] == "text/xml;charset=utf-8"
    return status, ElementTree.fromstring(body)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_in_xml(core, method):
    status, answer = in_xml(core, "ListRegions", method)
    assert (status, answer.tag) == (200, "ListRegionsResponse")
    assert answer.findtext("RegionModels/regionId") == "cn-shanghai"
    assert answer.findtext("RequestId")


def test_a_refusal_in_xml_says_what_one_in_json_says(core):
    query = [("ProductType", "CloudApp"), ("AppInstanceGroupId", GROUP)]
    status, error = in_xml(core, "GetAppInstanceGroup", query=query)
    assert error.tag == "Error"
    assert error.findtext("RequestId")
    assert error.findtext("HostId") == os.environ["APPSTREAM_ENDPOINT"]
    with pytest.raises(ServerException) as told:
        core.do_action_with_exception(ask("GetAppInstanceGroup", query=query))
    told = told.value
    in_json = (told.get_http_status(), told.get_error_code(), told.get_error_msg())
    assert (status, error.findtext("Code"), error.findtext("Message")) == in_json
    assert in_json[:2] == (400, "InvalidAppInstanceGroup.NotFound")


def test_a_wrong_secret_comes_with_the_string_that_should_have_been_signed():
    wrong = AcsClient(os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], "not the secret", "cn-shanghai")
    with pytest.raises(ServerException) as told:
        wrong.do_action_with_exception(ask("ListRegions"))
    assert told.value.get_error_code() == "SignatureDoesNotMatch"
    # This core takes the text after the first colon, and breaks when there is none.
    assert told.value.get_error_msg().split(":")[1].startswith("POST&%2F&AccessKeyId%3D")


def test_a_signature_with_a_private_key_is_refused_as_a_method_not_spoken():
    rsa = "ACS3-RSA-SHA256 Credential=k,SignedHeaders=host,Signature=00"
    headers = {"authorization": rsa, "x-acs-action": "ListRegions", "x-acs-version": "2021-09-01"}
    answer = requests.post(f"http://{os.environ['APPSTREAM_ENDPOINT']}/", headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidSignatureMethod")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_other_methods_are_refused(method):
    answer = requests.request(method, f"http://{os.environ['APPSTREAM_ENDPOINT']}/", timeout=30)
    assert answer.status_code == 403
    if method != "HEAD":
        assert answer.json()["Code"] == "UnsupportedHTTPMethod"
