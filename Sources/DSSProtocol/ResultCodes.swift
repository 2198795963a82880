/// The first word of a DSS result (core 1.0 §2.6), whatever URI a server writes it with.
public enum ResultMajor: Sendable, Hashable {
    case success, requesterError, responderError, insufficientInformation
    /// The asynchronous profile's: the answer comes later, on asking again.
    case pending
    /// A URI that is not known, as the server wrote it.
    case unknown(String)

    /// Reads the last part of a URI; case does not count.
    public init(_ uri: String) {
        switch URIWord.lastPart(of: uri).lowercased() {
        case "success": self = .success
        case "requestererror": self = .requesterError
        case "respondererror": self = .responderError
        case "insufficientinformation": self = .insufficientInformation
        case "pending": self = .pending
        default: self = .unknown(uri)
        }
    }

    /// The word for people and logs.
    public var word: String {
        switch self {
        case .success: "Success"
        case .requesterError: "RequesterError"
        case .responderError: "ResponderError"
        case .insufficientInformation: "InsufficientInformation"
        case .pending: "Pending"
        case .unknown(let uri): URIWord.lastPart(of: uri)
        }
    }

    /// The URI of the standard; for an unknown one what the server wrote.
    public var uri: String {
        if case .unknown(let uri) = self { return uri }
        return self == .pending
            ? "urn:oasis:names:tc:dss:1.0:profiles:asynchronousprocessing:resultmajor:Pending"
            : DSSWord.majorPrefix + word
    }
}

/// The second word of a DSS result: any URI, of which some are known.
public struct ResultMinor: Sendable, Hashable {
    /// The URI as the server wrote it.
    public let uri: String

    public init(_ uri: String) { self.uri = uri }

    /// The last part of the URI, for people and logs.
    public var word: String { URIWord.lastPart(of: uri) }

    public static let onAllDocuments = standard("valid:signature:OnAllDocuments")
    public static let notAllDocumentsReferenced = standard("valid:signature:NotAllDocumentsReferenced")
    public static let incorrectSignature = standard("invalid:IncorrectSignature")
    public static let hasManifestResults = standard("valid:signature:HasManifestResults")
    public static let invalidSignatureTimestamp = standard("valid:signature:InvalidSignatureTimestamp")
    public static let referencedDocumentNotPresent = standard("ReferencedDocumentNotPresent")
    public static let notParseableXMLDocument = standard("NotParseableXMLDocument")
    public static let notSupported = standard("NotSupported")
    public static let inappropriateSignature = standard("Inappropriate:signature")
    public static let generalError = standard("GeneralError")
    public static let keyLookupFailed = standard("invalid:KeyLookupFailed")
    /// In the spelling of the standard.
    public static let crlNotAvailable = standard("CrlNotAvailiable")
    /// In the spelling of the standard.
    public static let ocspNotAvailable = standard("OcspNotAvailiable")
    public static let certificateChainNotComplete = standard("CertificateChainNotComplete")
    public static let unknownClient = ResultMinor(DSSWord.unknownClient)

    private static func standard(_ word: String) -> ResultMinor { ResultMinor(DSSWord.minorPrefix + word) }

    /// The verdict on a signature that the code stands for; nil if it stands for none.
    public var signal: Verdict? {
        switch word.lowercased() {
        case "onalldocuments", "hasmanifestresults", "validmultisignatures", "validsignature_onalldocuments":
            .trusted
        case "incorrectsignature", "invalidsignaturetimestamp": .notTrusted
        case "notalldocumentsreferenced", "validsignature_notalldocuments", "certificatechainnotcomplete":
            .indeterminate
        default: isRevocationUnavailable ? .indeterminate : nil
        }
    }

    /// A CRL or OCSP answer was not to be had; both spellings.
    public var isRevocationUnavailable: Bool {
        ["crlnotavailiable", "crlnotavailable", "ocspnotavailiable", "ocspnotavailable"].contains(word.lowercased())
    }

    /// The key that was asked for is not there.
    public var isKeyLookupFailed: Bool { word.lowercased() == "keylookupfailed" }

    /// The client id is not known to `ses-dss`.
    public var isUnknownClient: Bool { uri == DSSWord.unknownClient }
}
