import DSSProtocol
import Octets
import XMLReading

/// The text of a request between its documents. Everything that comes from outside is escaped here.
struct RequestText {
    private var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    private let envelope: Dialect.Envelope

    init(_ element: String, requestID: String, profile: String?, dialect: Dialect) {
        envelope = dialect.envelope
        switch envelope {
        case .soap11: text += "<soap:Envelope xmlns:soap=\"\(DSSNamespace.soap11)\"><soap:Body>"
        case .soap12: text += "<soap:Envelope xmlns:soap=\"\(DSSNamespace.soap12)\"><soap:Body>"
        case .none: break
        }
        var attributes = [("xmlns:dss", DSSNamespace.core), ("RequestID", requestID)]
        if let profile, !profile.isEmpty { attributes.append(("Profile", profile)) }
        open("dss:" + element, attributes: attributes)
    }

    /// Returns the text that was written since the last call.
    mutating func drain() -> OctetString {
        defer { text = "" }
        return OctetString(text)
    }

    /// Closes the request and its envelope.
    mutating func end(_ element: String) -> OctetString {
        close("dss:" + element)
        if envelope != .none { text += "</soap:Body></soap:Envelope>" }
        text += "\n"
        return drain()
    }

    mutating func open(_ name: String, attributes: [(String, String)] = []) {
        text += "<" + name
        for (name, value) in attributes { text += " \(name)=\"\(XMLEscaping.attribute(value))\"" }
        text += ">"
    }

    mutating func close(_ name: String) { text += "</\(name)>" }

    mutating func leaf(_ name: String, _ content: String, attributes: [(String, String)] = []) {
        open(name, attributes: attributes)
        text += XMLEscaping.text(content)
        close(name)
    }

    mutating func claim(_ originatorID: String) {
        open("dss:ClaimedIdentity")
        leaf("dss:Name", originatorID)
        close("dss:ClaimedIdentity")
    }

    mutating func key(_ alias: String, _ form: Dialect.AliasForm) {
        switch form {
        case .keyName:
            open("dss:KeySelector")
            open("ds:KeyInfo", attributes: [("xmlns:ds", DSSNamespace.xmlSignature)])
            leaf("ds:KeyName", alias)
            close("ds:KeyInfo")
            close("dss:KeySelector")
        case .extension:
            open("dss:KeySelector")
            open("dss:Other")
            leaf("ses:CertificateAlias", alias, attributes: [("xmlns:ses", DSSNamespace.extensions)])
            close("dss:Other")
            close("dss:KeySelector")
        case .omit: break
        }
    }

    mutating func attributes(_ attributes: [SignatureAttribute], _ dialect: Dialect) {
        switch dialect.attributesForm {
        case .extension:
            let names = dialect.attributeNames
            open("ses:" + names.list, attributes: [("xmlns:ses", names.namespace)])
            for attribute in attributes {
                open("ses:" + names.attribute)
                leaf("ses:" + names.name, attribute.name)
                leaf("ses:" + names.value, attribute.value)
                close("ses:" + names.attribute)
            }
            close("ses:" + names.list)
        case .dssProperties:
            open("dss:Properties")
            open("dss:SignedProperties")
            for attribute in attributes {
                open("dss:Property")
                leaf("dss:Identifier", DSSWord.propertyPrefix + attribute.name)
                open("dss:Value")
                leaf("ses:Value", attribute.value, attributes: [("xmlns:ses", DSSNamespace.extensions)])
                close("dss:Value")
                close("dss:Property")
            }
            close("dss:SignedProperties")
            close("dss:Properties")
        case .omit: break
        }
    }

    mutating func ask(for input: Dialect.VerificationInput) {
        switch input {
        case .returnVerificationReport:
            text += "<vr:\(input.rawValue) xmlns:vr=\"\(DSSNamespace.verificationReport)\"/>"
        case .returnSigningTimeInfo, .returnSignerIdentity, .returnVerificationTimeInfo, .returnProcessingDetails:
            text += "<dss:\(input.rawValue)/>"
        }
    }

    /// Writes `InputDocuments` with one document.
    /// - Returns: All that was written so far, and the document; what follows it is still to be taken.
    mutating func documents(_ document: any OctetSource, _ form: DocumentForm) -> [any OctetSource] {
        let element = "dss:" + form.element.rawValue
        var attributes: [(String, String)] = []
        if form.element == .base64Data, let word = form.mimeType { attributes.append(("MimeType", word)) }
        open("dss:InputDocuments")
        open("dss:Document", attributes: [("ID", "doc-1")])
        open(element, attributes: attributes)
        let parts: [any OctetSource] = [drain(), Base64Encoded(document, lineLength: nil)]
        close(element)
        close("dss:Document")
        close("dss:InputDocuments")
        return parts
    }
}
