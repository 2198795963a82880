import DSSProtocol
import DSSXML
import Octets
import TestSupport
import Testing

/// An answer and what is to be made of it.
struct AnswerCase: CustomTestStringConvertible, Sendable {
    /// An outcome in a form that is easily compared.
    enum Expected: Hashable, Sendable {
        case cms
        case document(String)
        case verdict(Verdict)
        case revocationUnreachable
        case transientRefusal(String)
        case permanentRefusal(String)
        case noAnswer
        case unreachable(status: Int)
    }

    let name: String
    let question: DSSQuestion
    let expected: Expected
    var status = 200
    var fields: [(name: String, value: String)] = [("Content-Type", "text/xml; charset=utf-8")]
    var body: [UInt8]?

    init(
        _ name: String, _ question: DSSQuestion, _ expected: Expected, status: Int = 200,
        type: String = "text/xml; charset=utf-8", fields: [(name: String, value: String)] = [], body: String? = nil
    ) {
        self.name = name
        self.question = question
        self.expected = expected
        self.status = status
        self.fields = [("Content-Type", type)] + fields
        self.body = body.map { Array($0.utf8) }
    }

    var testDescription: String { name + (status == 200 ? "" : " \(status)") }

    var octets: [UInt8] {
        get throws { try body ?? TestMaterial.octets(TestMaterial.fixtures + "/dss/responses/\(name).xml") }
    }

    static let email = DSSQuestion.signing(.email, requestID: "SES-1")
    static let pdf = DSSQuestion.signing(.pdf, requestID: "SES-1")
    static let xml = DSSQuestion.signing(.xml, requestID: "SES-1")
    static let cms = DSSQuestion.signing(.cms, requestID: "SES-1")
    static let verification = DSSQuestion.verification(requestID: "SES-1")

    /// Compares an outcome with what is expected.
    static func expectation(of outcome: DSSOutcome, for expected: Expected) -> Expected {
        switch outcome {
        case .signed(.cms): .cms
        case .signed(.document(let octets)): .document(octets.text)
        case .verified(let answer) where expected == .revocationUnreachable && answer.isRevocationUnreachable:
            .revocationUnreachable
        case .verified(let answer): .verdict(answer.verdict)
        case .refused(let refusal):
            refusal.isTransient(in: .adss)
                ? .transientRefusal(told(refusal.message, expected))
                : .permanentRefusal(told(refusal.message, expected))
        case .unreachable(let reason):
            if case .status(let status) = reason.kind { .unreachable(status: status) } else { .noAnswer }
        }
    }

    /// The expected part of a message, if it is there.
    private static func told(_ message: String, _ expected: Expected) -> String {
        switch expected {
        case .transientRefusal(let part), .permanentRefusal(let part): message.contains(part) ? part : message
        case .cms, .document, .verdict, .revocationUnreachable, .noAnswer, .unreachable: message
        }
    }
}

/// Reads a whole answer, in pieces of `size` octets.
func decode(
    _ octets: [UInt8], _ question: DSSQuestion, status: Int = 200, fields: [(name: String, value: String)] = [],
    size: Int = 65_536, limit: Int = 1 << 20, dialect: Dialect = .adss
) -> DSSOutcome {
    let decoder = AnswerDecoder(question, dialect: dialect, answers: MemoryCollecting(limit: limit))
    decoder.begin(status: status, fields: fields)
    var start = 0
    while start < octets.count {
        let end = min(start + size, octets.count)
        let goesOn = octets[start..<end].withUnsafeBytes { decoder.decode($0) }
        if !goesOn { break }
        start = end
    }
    return decoder.finish()
}
