"""What the web service has, and its description: WSDL 1.1 in the shape in which the platform publishes it.

Names, types, directions and which values may be empty are those of the vendor's descriptor; a test holds them to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

SERVICE = "EnterpriseDataExchange_1_0_1_1"
NAMESPACE = f"http://www.1c.ru/SSL/{SERVICE}"
TYPES = "http://v8.1c.ru/SSL/Exchange/EnterpriseDataExchange"
RESULT = "PrepareDataOperationResult"
RESULT_FIELDS = (("ErrorMessage", "string"), ("FileID", "string"), ("PartCount", "int"), ("Status", "string"))
_NILLABLE = ' nillable="true"'


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter or a returned value: an XML Schema type, or ``RESULT``."""

    name: str
    type: str
    nillable: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """``takes``: parameters in. ``gives``: what is returned, then parameters out."""

    name: str
    takes: tuple[Value, ...]
    gives: tuple[Value, ...]


_WHO = (Value("ExchangePlanName", "string"), Value("PeerCode", "string"))
_FILE, _JOB = Value("FileID", "string"), Value("OperationID", "string")
_ERROR, _STARTED = Value("ErrorMessage", "string", nillable=True), Value("OperationID", "string", nillable=True)


def _returns(type_: str, *, nillable: bool = False) -> Value:
    return Value("return", type_, nillable)


_NOTHING = _returns("string", nillable=True)
OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("Ping", (), (_NOTHING,)),
        Operation("TestConnection", _WHO, (_returns("boolean"), _ERROR)),
        Operation(
            "PrepareDataForGetting", (*_WHO, Value("PartSize", "decimal")), (_NOTHING, _STARTED, _ERROR)
        ),
        Operation("PrepareDataActionResult", (_JOB,), (_returns(RESULT), _ERROR)),
        Operation(
            "GetDataPart", (_FILE, Value("PartNumber", "int")), (_returns("base64Binary", nillable=True), _ERROR)
        ),
        Operation("ConfirmGettingFile", (_FILE, Value("ClearDataPool", "boolean")), (_NOTHING, _ERROR)),
        Operation(
            "PutFilePart",
            (_FILE, Value("PartNumber", "int", nillable=True), Value("PartData", "base64Binary")),
            (_NOTHING, _ERROR),
        ),
        Operation("PutData", (*_WHO, _FILE), (_NOTHING, _STARTED, _ERROR)),
        Operation("PutDataActionResult", (_JOB,), (_returns("string"), _ERROR)),
    )
}  # fmt: skip


def document(address: str) -> bytes:
    """The description of the service at that address."""
    messages, port = "", ""
    for name in OPERATIONS:
        for way, element in (("Request", name), ("Response", f"{name}Response")):
            messages += (
                f'<message name="{name}{way}Message"><part name="parameters" element="tns:{element}"/></message>'
            )
        port += (
            f'<operation name="{name}"><input name="{name}Request" message="tns:{name}RequestMessage"/>'
            f'<output name="{name}Response" message="tns:{name}ResponseMessage"/></operation>'
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" '
        'xmlns:soap12bind="http://schemas.xmlsoap.org/wsdl/soap12/" '
        'xmlns:soapbind="http://schemas.xmlsoap.org/wsdl/soap/" '
        f'xmlns:tns="{NAMESPACE}" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsd1="{TYPES}" '
        f'name="{SERVICE}" targetNamespace="{NAMESPACE}"><types>{_result_schema()}{_schema()}</types>{messages}'
        f'<portType name="{SERVICE}PortType">{port}</portType>'
        f"{_binding('soapbind', 'SoapBinding')}{_binding('soap12bind', 'Soap12Binding')}"
        f'<service name="{SERVICE}">{_port("soapbind", "Soap", address)}{_port("soap12bind", "Soap12", address)}'
        "</service></definitions>"
    ).encode()


def _head(namespace: str) -> str:
    return (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:tns="{namespace}" targetNamespace="{namespace}" '
        'attributeFormDefault="unqualified" elementFormDefault="qualified">'
    )


def _result_schema() -> str:
    fields = "".join(f'<xs:element name="{n}" type="xs:{t}" minOccurs="0"/>' for n, t in RESULT_FIELDS)
    # The type is open in the vendor's package.
    fields += '<xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>'
    body = f'<xs:complexType name="{RESULT}"><xs:sequence>{fields}</xs:sequence></xs:complexType>'
    return f"{_head(TYPES)}{body}</xs:schema>"


def _schema() -> str:
    elements = ""
    for operation in OPERATIONS.values():
        elements += _element(operation.name, operation.takes) + _element(f"{operation.name}Response", operation.gives)
    return f'{_head(NAMESPACE)}<xs:import namespace="{TYPES}"/>{elements}</xs:schema>'


def _element(name: str, values: tuple[Value, ...]) -> str:
    fields = "".join(
        f'<xs:element name="{v.name}" type="{_type(v)}"{_NILLABLE if v.nillable else ""}/>' for v in values
    )
    body = f"<xs:complexType><xs:sequence>{fields}</xs:sequence></xs:complexType>"
    return f'<xs:element name="{name}">{body}</xs:element>'


def _type(value: Value) -> str:
    return f"xsd1:{RESULT}" if value.type == RESULT else f"xs:{value.type}"


def _binding(prefix: str, name: str) -> str:
    operations = "".join(
        f'<operation name="{op}"><{prefix}:operation style="document" soapAction="{NAMESPACE}#{SERVICE}:{op}"/>'
        f'<input><{prefix}:body use="literal"/></input><output><{prefix}:body use="literal"/></output></operation>'
        for op in OPERATIONS
    )
    return (
        f'<binding name="{SERVICE}{name}" type="tns:{SERVICE}PortType"><{prefix}:binding style="document" '
        f'transport="http://schemas.xmlsoap.org/soap/http"/>{operations}</binding>'
    )


def _port(prefix: str, name: str, address: str) -> str:
    return (
        f'<port name="{SERVICE}{name}" binding="tns:{SERVICE}{name}Binding"><documentation>'
        '<wsi:Claim xmlns:wsi="http://ws-i.org/schemas/conformanceClaim/" '
        'conformsTo="http://ws-i.org/profiles/basic/1.1"/></documentation>'
        f"<{prefix}:address location={quoteattr(address)}/></port>"
    )
