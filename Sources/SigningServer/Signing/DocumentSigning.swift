import CMSSignatures
import DSSXML
import DocumentKinds
import Octets
import PDFSignatures
import XMLSignatures

/// Signs one document as its profile says.
struct DocumentSigning {
    let profile: SigningServerConfiguration.SigningProfile
    let key: StoredKey
    let sources: OnlineSources
    /// The signer of PDF documents, or the reason why this machine lacks what PDF stamps need.
    let pdfSigner: Result<PDFSigner, PDFError>
    /// The gathering of validation data; present at level LT.
    let validation: ValidationGathering?
    /// The storage for a document that is added to.
    let scratch: any OctetCollectorMaking
    /// Unix seconds.
    let now: Int
    /// The seconds by which the clock was set since the server started; nil if it was not.
    let clockJump: Int?
    /// A time that has surely passed, Unix seconds.
    let knownPast: Int

    /// The reason why a document is not signed.
    enum Refusal: Error {
        /// Another document, or another request, may be signed.
        case document(String)
        /// The XML cannot be read.
        case notParseable(String)
        /// The request asks for something that is not offered.
        case request(String)
        /// The key may not sign this; another request with it will fare no better.
        case key(String)
        /// The server could not do it.
        case server(String)

        init(_ error: CryptographyError) { self = .server(error.reason) }
    }

    /// Seconds by which a clock may be behind without doubt, and within which a certificate is waited for.
    private static let clockTolerance = 3_600
    private static let maximumWait = 2 * 86_400

    /// The refusal of a key. A certificate that will be valid soon may be by the next request, and one that has expired
    /// or is not valid yet by a clock that is wrong may be valid once it is set: the client keeps its document and asks
    /// again.
    private func refusal(_ obstacle: CertificateObstacle) -> Refusal {
        let words = "the key must not sign this: \(obstacle.reason)"
        let clock = "; it is \(RFC3339Time.text(now)) by the clock of this machine"
        if obstacle.cause == .other { return .key("\(words); configure another one") }
        if let clockJump {
            let direction = clockJump > 0 ? "forward" : "back"
            return .server(
                "\(words)\(clock), which was set \(direction) by \(abs(clockJump)) s since the server started: set it right,"
                    + " or configure another key and start the server again")
        }
        if now + Self.clockTolerance < knownPast {
            return .server("\(words)\(clock), but its files are of \(RFC3339Time.text(knownPast)): set it")
        }
        if case .early(let time) = obstacle.cause, time - now <= Self.maximumWait { return .server(words + clock) }
        return .key("\(words)\(clock), which must be set if it is wrong; otherwise configure another key")
    }

    func sign(_ request: DSSServerRequest, _ document: DSSServerRequest.Document) throws(Refusal)
        -> DSSServerAnswer.Output
    {
        let options = try PDFAttributes(request.attributes, defaults: profile.pdf)
        let encloses = profile.enclosesContent || request.includesObject
        let use: CertificateUse = profile.format == .smime ? .mail : .document
        if let obstacle = key.key.certificate.signingObstacle(for: use, at: now) { throw refusal(obstacle) }
        switch format(of: document, request) {
        case .pdf:
            return .document(
                document.element, mimeType: document.mimeType, try pdf(document.octets, options))
        case .xml:
            do throws(Refusal) {
                return .document(document.element, mimeType: document.mimeType, try xml(document.octets))
            } catch {
                // A document that looks like XML and cannot be signed as XML is a file like others, unless it was
                // called XML.
                guard case .notParseable = error, profile.format == .auto, document.element != .base64XML else {
                    throw error
                }
                return .cms(try cms(document.octets, encloses: encloses))
            }
        case .cms, .smime, .auto:
            return .cms(try cms(document.octets, encloses: encloses))
        }
    }

    /// Returns the format to sign in. It is that of the profile. If the profile leaves it open, the element decides in
    /// which the document arrived, and then the document's beginning. A page of HTML begins as XML may, so only an XML
    /// declaration makes it XML.
    private func format(
        of document: DSSServerRequest.Document, _ request: DSSServerRequest
    ) -> SigningServerConfiguration.SigningProfile.Format {
        guard profile.format == .auto else { return profile.format }
        if document.element == .base64XML { return .xml }
        if request.asksForCMS { return .cms }
        let opening = DocumentOpening(of: document.octets)
        if opening.kinds.contains(.cms) { return .cms }
        let found = DocumentFormat.allCases.first { format in
            switch format {
            case .pdf: opening.pdfOffset == 0 || opening.pdfOffset != nil && document.declaredKind == .pdf
            case .xml: opening.isDeclaredXML
            }
        }
        return found.map { .init($0) } ?? .cms
    }

    private var timestamps: (any TimestampSource)? {
        profile.timestampAuthority.map { TimestampAuthority(url: $0, sources: sources) }
    }

    // MARK: CMS

    private func cms(_ document: OctetString, encloses: Bool) throws(Refusal) -> any OctetSource {
        let signer = CMSSigner(
            key: key.key, isCAdES: profile.level != nil, timestamps: timestamps)
        do throws(CryptographyError) {
            // A mail's signature stands beside its content, whatever is asked for (RFC 8551 §3.5.3).
            if encloses && profile.format != .smime { return try signer.sign(enclosing: document, signingTime: now) }
            return try signer.sign(detached: document, signingTime: now)
        } catch {
            throw Refusal(error)
        }
    }

    // MARK: PDF

    /// Room for the CMS beside certificates and timestamp.
    private static let signatureRoom = 4_096
    private static let timestampRoom = 16_384

    private func pdf(_ document: OctetString, _ attributes: PDFAttributes) throws(Refusal) -> any OctetSource {
        let certificates = [key.key.certificate] + key.key.chain
        var options = attributes.options(signer: key.key.certificate.commonName, time: now)
        options.hasTimestamp = profile.timestampAuthority != nil
        options.reservedOctets =
            Self.signatureRoom + certificates.reduce(0) { $0 + $1.der.count }
            + (profile.timestampAuthority == nil ? 0 : Self.timestampRoom)
        do {
            let prepared = try pdfSigner.get().prepare(document, options)
            let signer = CMSSigner(key: key.key, isCAdES: true, timestamps: timestamps)
            let cms = try signer.sign(detached: prepared.covered, signingTime: nil)
            let signed = try prepared.finish(cms: cms)
            guard let validation else { return signed }
            let data = try validation.data(for: cms, over: prepared.covered, now: now)
            return try data.appended(to: try signed.collected(by: scratch))
        } catch let error as PDFError {
            switch error.kind {
            case .failed, .room: throw .server(error.reason)
            case .notPDF, .damaged, .encrypted, .tooComplex, .unsupported, .forbidden, .field, .page, .constraint:
                throw .document("the PDF cannot be signed: \(error.reason)")
            }
        } catch let error as CryptographyError {
            throw Refusal(error)
        } catch {
            throw .server("\(error)")
        }
    }

    // MARK: XML

    private func xml(_ document: OctetString) throws(Refusal) -> any OctetSource {
        do throws(XMLSignatureError) {
            let signer = XMLSigner(key: try key.forXML.get(), form: profile.level == nil ? .xmldsig : .xades)
            guard let source = timestamps else { return try signer.sign(document, signingTime: now) }
            return try signer.sign(document, signingTime: now) { octets throws(XMLSignatureError) in
                do throws(CryptographyError) { return try source.timestamp(of: octets).octets } catch {
                    throw XMLSignatureError(.timestamp, error.reason)
                }
            }
        } catch {
            switch error.kind {
            case .malformed, .documentType: throw .notParseable(error.description)
            case .limit, .unsupported, .alreadySigned: throw .document("the XML cannot be signed: \(error.description)")
            case .key: throw .key("the key cannot sign XML: " + error.reason)
            case .timestamp, .failed: throw .server(error.reason)
            }
        }
    }
}

/// The attributes of a request that override those of its profile for a PDF signature. Signatures of other formats have
/// no place for them.
struct PDFAttributes {
    private var options = PDFSignatureOptions(signerName: "", time: 0)

    /// - Throws: ``DocumentSigning/Refusal`` for an unknown attribute, or an invalid value (DSS core §2.7).
    init(
        _ attributes: [DSSServerRequest.Attribute], defaults: PDFDefaults = PDFDefaults()
    ) throws(DocumentSigning.Refusal) {
        options.reason = defaults.reason
        options.location = defaults.location
        options.contactInfo = defaults.contactInfo
        options.isVisible = defaults.isVisible
        options.look = defaults.look
        let isPlaced = attributes.contains { ["SIGNING_AREA", "SIGNING_PAGE", "SIGNING_FIELD"].contains($0.name) }
        if !attributes.contains(where: { $0.name == "SIGNING_FIELD" }) {
            // A field has its place; an area and a page may be asked for one without the other.
            (options.area, options.page) = (defaults.area, defaults.page)
        }
        // A place that is asked for is one to be seen at.
        if isPlaced, defaults.isVisible == false { options.isVisible = nil }
        for attribute in attributes {
            let value = attribute.value
            switch attribute.name {
            case "SIGNING_REASON": options.reason = value
            case "SIGNING_LOCATION": options.location = value
            case "CONTACT_INFO": options.contactInfo = value
            case "SIGNING_FIELD": options.fieldName = value
            case "SIGNING_AREA":
                options.area = Int(value).flatMap { PDFSignatureOptions.Area(rawValue: $0) }
                if options.area == nil { throw Self.refusal(attribute, "a number from 1 to 5") }
            case "SIGNING_PAGE":
                guard let page = Int(value), page > 0 else { throw Self.refusal(attribute, "a page number from 1") }
                options.page = page
            case "VISIBILITY":
                switch value.uppercased() {
                case "TRUE": options.isVisible = true
                case "FALSE": options.isVisible = false
                default: throw Self.refusal(attribute, "TRUE or FALSE")
                }
            default: throw .request("the attribute \(attribute.name) is not known here")
            }
        }
        if options.area != nil && options.fieldName != nil {
            throw .request("SIGNING_AREA and SIGNING_FIELD exclude each other")
        }
    }

    func options(signer: String, time: Int) -> PDFSignatureOptions {
        var options = options
        options.signerName = signer
        options.time = time
        return options
    }

    private static func refusal(_ attribute: DSSServerRequest.Attribute, _ expected: String) -> DocumentSigning.Refusal
    {
        .request("the attribute \(attribute.name) is \"\(attribute.value)\": expected \(expected)")
    }
}

/// A timestamp authority that is asked over HTTP (RFC 3161 §3.4).
private struct TimestampAuthority: TimestampSource {
    let url: String
    let sources: OnlineSources

    func response(to query: OctetString) throws(CryptographyError) -> OctetString {
        do throws(CryptographyError) {
            return try sources.fetch(url, posting: query, contentType: "application/timestamp-query")
        } catch {
            throw CryptographyError(error.kind, "no answer of the timestamp authority: \(error.reason)")
        }
    }
}

extension OnlineSources: RevocationSource {
    func fetch(_ url: String) throws(CryptographyError) -> OctetString { try fetch(url, posting: nil) }

    func post(_ request: OctetString, to url: String) throws(CryptographyError) -> OctetString {
        try fetch(url, posting: request, contentType: "application/ocsp-request")
    }
}
