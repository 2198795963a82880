import Fuzzing
import InternetMessage
import MessageInspection
import Octets
import Delivery

@testable import Spool

/// Reads the input as a file's name in the spool, as lines of a relay's record, and as the name of an attachment.
@main
enum NameTarget {
    static func main() {
        Fuzzing.run { octets in
            let text = String(decoding: octets.array, as: UTF8.self)
            checkName(text)
            checkRecord(text)
            _ = ContentDisposition(parsing: text).parameter("filename")?.decoded(using: Charsets())
        }
    }

    private static func checkName(_ text: String) {
        if let name = SpoolName(parsing: text) {
            let written = name.description
            Fuzzing.require(text == written || text.hasPrefix(written + ":2,"), "\(text) is written \(written)")
            Fuzzing.require(!written.contains("/") && !written.hasPrefix("."), "a name that leads elsewhere")
        }
        let own = FileName(text)
        switch TransactionFile(own) {
        case .message(let facts):
            Fuzzing.require(TransactionFile.messageName(facts) == text, "a message's name is written differently")
        case .output(let folder, let name):
            Fuzzing.require(
                text.hasPrefix(TransactionFile.outputName(folder, name)), "an output's name is written differently")
        case .scratch, .ledger, .foreign: break
        }
    }

    /// Checks that a record, read line by line, is the same when it is written anew.
    private static func checkRecord(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        _ = DeliveryHistory(lines: lines)
        for line in lines {
            guard let read = DeliveryLine(parsing: line) else { continue }
            Fuzzing.require(!read.text.contains("\n"), "a line of a record that is two")
            Fuzzing.require(DeliveryLine(parsing: read.text) == read, "a line of a record is another when written anew")
            let short = DeliveryLine(parsing: read.shortText)
            Fuzzing.require(short != nil, "a line of a record that is shortened cannot be read")
        }
    }
}
