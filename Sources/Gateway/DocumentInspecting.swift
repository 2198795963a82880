import Octets
import Processing

/// Processing's look into documents that carry their signatures within.
struct DocumentInspecting: DocumentInspection {
    func obstacle(toSigning document: OctetString, as format: DocumentFormat) -> String? { nil }

    func check(
        _ signed: OctetString, from original: OctetString, as format: DocumentFormat
    ) -> Processing.SignatureIntegrity {
        .unknown("signatures in \(format.rawValue.uppercased()) documents cannot be read here")
    }

    func signatures(in document: OctetString, as format: DocumentFormat) throws(Failure) -> [DocumentSignature] {
        throw Failure(.permanent, "signatures in \(format.rawValue.uppercased()) documents cannot be read here")
    }
}
