import FoundationEssentials
import Glibc
import HostProcess
import Octets

/// The original's `ses.xml`, with the few changes that this machine needs. Everything else stays as it was written, the
/// comments too.
struct SESAdoption {
    private(set) var text: String
    /// The changes that were made, for people.
    private(set) var changes: [String] = []
    let path: String

    /// - Throws: ``ProgramError`` with 66 if the file cannot be read.
    init(path: String) throws(ProgramError) {
        self.path = path
        switch SmallFile.read(path, limit: 8 << 20) {
        case .failure(let error): throw ProgramError(.noInput, "\(error)")
        case .success(let octets):
            if let text = String(validating: octets.array, as: UTF8.self) {
                self.text = text
            } else {
                // Files of Windows' own character set declare it, and are written anew in UTF-8.
                text = String(data: Data(octets.array), encoding: .windowsCP1252) ?? ""
                text = text.replacing(/(<\?xml[^>]*encoding=["'])[^"']*(["'])/, maxReplacements: 1) {
                    String($0.output.1) + "UTF-8" + String($0.output.2)
                }
                changes.append("written in UTF-8")
            }
        }
        if text.first == "\u{FEFF}" { text.removeFirst() }
        text = text.replacing("\r\n", with: "\n")
    }

    /// Joins what editors broke: a line break within an address, or behind the comma of a list of them.
    mutating func joinAddresses() {
        var count = 0
        func joined(_ value: Substring) -> String {
            let whole = value.split(whereSeparator: \.isNewline).map { $0.trimmed() }
                .joined()
            count += 1
            return whole
        }
        text = text.replacing(/(<(?:To|From|CC|Cc|BCC|Bcc)\s[^>]*?contains\s*=\s*")([^"]*\n[^"]*)(")/) {
            String($0.output.1) + joined($0.output.2) + String($0.output.3)
        }
        let elements = "PrimaryAddress|SecondaryAddress|AdminEmailAddress|DomainName|ProxyHost|NoticeFrom"
        guard
            let broken = try? Regex(
                "(<(?:\(elements))>)([^<]*\\n[^<]*)(</)", as: (Substring, Substring, Substring, Substring).self)
        else { return }
        text = text.replacing(broken) { String($0.output.1) + joined($0.output.2) + String($0.output.3) }
        if count > 0 {
            changes.append(
                count == 1 ? "a line break in an address joined" : "line breaks in \(count) addresses joined")
        }
    }

    /// The name of the client certificate's file without its folder; nil if none is used.
    var clientCertificate: String? {
        guard
            let block = text.firstMatch(
                of: /<ClientAuthPfxSettings[^>]*status\s*=\s*"enable"[^>]*>[\s\S]*?<\/ClientAuthPfxSettings>/),
            let path = block.output.firstMatch(of: /<PfxFilePath>\s*([^<]*?)\s*<\/PfxFilePath>/)
        else { return nil }
        return path.output.1.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init)
    }

    mutating func setClientCertificate(_ place: String) {
        text = text.replacing(/<PfxFilePath>[^<]*<\/PfxFilePath>/, with: "<PfxFilePath>\(place)</PfxFilePath>")
        changes.append("the client certificate is \(place)")
    }

    /// Names the spool and, if there is one, the file of authorities.
    mutating func setProcessing(spool: String, trustStore: String?) {
        let lines =
            "    <Spool>\(spool)</Spool>\n" + (trustStore.map { "    <TrustStore>\($0)</TrustStore>\n" } ?? "")
        if let start = text.firstRange(of: "<Processing>") {
            text.insert(contentsOf: "\n" + lines, at: start.upperBound)
        } else if let end = text.ranges(of: "</SES>").last {
            text.insert(contentsOf: "  <Processing>\n\(lines)  </Processing>\n", at: end.lowerBound)
        }
        if let trustStore { changes.append("the authorities of the server are \(trustStore)") }
    }

    /// The first value of an element, without line breaks.
    func value(_ element: String) -> String? {
        guard let regex = try? Regex("<\(element)>\\s*([^<]*?)\\s*</\(element)>", as: (Substring, Substring).self)
        else {
            return nil
        }
        return text.firstMatch(of: regex).map { String($0.output.1) }
    }
}
