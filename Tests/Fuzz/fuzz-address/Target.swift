import Fuzzing
import InternetMessage
import Octets

/// Reads the input as an address list, as an address and as a path.
@main
enum AddressTarget {
    static func main() {
        Fuzzing.run { octets in
            let list = AddressList(parsing: octets)
            for mailbox in list.mailboxes { checkAgain(mailbox.address) }
            Fuzzing.require(
                list.unreadable.isEmpty || list.reading != .wellFormed, "a well-formed list has something unreadable")
            let text = String(decoding: octets.array, as: UTF8.self)
            if let address = AddrSpec(parsing: text) {
                Fuzzing.require("\(address)" == text || AddrSpec(parsing: "\(address)") == address, "another address")
            }
            if let address = AddrSpec(reading: text) { checkAgain(address) }
            if case .address(let address)? = ReversePath(reading: text) { checkAgain(address) }
        }
    }

    /// An address that is written is read the same: it goes into envelopes in this form.
    private static func checkAgain(_ address: AddrSpec) {
        let text = "\(address)"
        Fuzzing.require(
            !text.utf8.contains { $0 == 0x0D || $0 == 0x0A || $0 == 0 }, "an address with a line end or NUL")
        guard let again = AddrSpec(parsing: text) else { return }
        Fuzzing.require(again == address, "\(text) is another address when it is read again")
    }
}
