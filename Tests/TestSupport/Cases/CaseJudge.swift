import Foundation

/// Compares what became of a row with the words of its column `expected`.
public struct CaseJudge: Sendable {
    let row: CaseRow
    let finding: CaseFinding

    public init(_ row: CaseRow, _ finding: CaseFinding) {
        self.row = row
        self.finding = finding
    }

    private static let verdicts = [
        "trusted": "verified", "not trusted": "not-trusted", "indeterminate": "indeterminate",
        "not signed": "not-signed",
    ]

    /// Returns true if one of the expected outcomes is there.
    public func isRight() async throws -> Bool {
        guard finding.failure == nil else { return false }
        for word in row.expected where try await holds(word) { return true }
        return false
    }

    private func holds(_ word: String) async throws -> Bool {
        if let outcome = Self.verdicts[word] { return finding.outcomes == [outcome] }
        if word.hasPrefix("to ") {
            return finding.recipients == Set(word.dropFirst(3).split(separator: ",").map(String.init))
        }
        switch word {
        case "never trusted": return !finding.delivered.isEmpty && !finding.outcomes.contains("verified")
        case "error": return isError
        case "trusted without claim":
            guard finding.outcomes == ["verified"] else { return false }
            return try await !claimsAttachments()
        case "signed": return try await isSigned()
        case "sound":
            guard try await isSigned() else { return false }
            return finding.returned.allSatisfy { $0.outcome == "verified" }
        case "unsigned": return !finding.returned.isEmpty && finding.returned.allSatisfy { $0.outcome == "not-signed" }
        case "folded": return try await isFolded()
        case "field removed": return try await isFieldRemoved()
        default: throw HarnessError("\(row): unknown outcome '\(word)' in the column expected")
        }
    }

    /// The administrator has a notice with a reason, and nothing that should be signed left unsigned.
    private var isError: Bool {
        guard finding.admin.contains(where: { $0.envelopeField("X-SES-Reason")?.isEmpty == false }) else {
            return false
        }
        return row.isIncoming ? finding.delivered.isEmpty : finding.returned.allSatisfy { $0.outcome != "not-signed" }
    }

    /// Returns true if OpenSSL finds that the signature of each delivered mail fits; signed files are for the verifying
    /// side.
    private func isSigned() async throws -> Bool {
        guard !finding.delivered.isEmpty else { return false }
        for (file, returned) in zip(finding.delivered, finding.returned) {
            let type = file.header("Content-Type").first?.lowercased() ?? ""
            if type.hasPrefix("multipart/signed") || type.hasPrefix("application/pkcs7-mime") {
                let verified = try await OpenSSL.verify(
                    file.message, anchor: row.set.folder + "/pki/anchors.pem")
                guard verified.status == 0 else { return false }
            } else if returned.outcome != "verified" {
                return false
            }
        }
        return true
    }

    /// Returns true if the shown result mentions the signatures of attachments.
    private func claimsAttachments() async throws -> Bool {
        for file in finding.delivered {
            let text = try await PythonReading.of(file.message).part("text/plain")?.text ?? ""
            let banner = text.firstMatch(of: /\*\*\* Signature check(?s:.*?)\n\*{20,}/)?.0 ?? text[...]
            if banner.lowercased().contains("attachment") { return true }
        }
        return false
    }

    /// The input and the observed outcome, for a failed expectation.
    public var report: String {
        if let failure = finding.failure { return "\(row): cannot be tried: \(failure)" }
        var got = finding.outcomes.sorted().map { outcome in
            Self.verdicts.first { $0.value == outcome }?.key ?? outcome
        }
        if let refusal = finding.refusal { got.append("refused by ses drop: \(refusal)") }
        if !row.isIncoming, !finding.delivered.isEmpty { got.append("to \(finding.recipients.sorted())") }
        if !finding.admin.isEmpty { got.append("notice to the administrator") }
        got += finding.elsewhere.map { "in \($0)" }
        got += finding.returned.map { "comes back \($0.outcome) (\($0.reason))" }
        return """
            \(row): got \(got.joined(separator: ", ")); wanted \(row.expected.joined(separator: " | "))
            the program's reason: \(finding.reason)
            why: \(row.reason)
            """
    }
}
