package import HostProcess
import Glibc
package import MailEnvelope
import Octets
package import Spool

/// One message from a file descriptor, with its envelope, into a spool.
package enum MessageDrop {
    /// Reads the message to its end and puts it into the spool.
    /// - Parameters:
    ///   - input: Read to its end.
    ///   - queueID: The mail server's identifier of the message; it stands in the envelope block.
    /// - Returns: The entry that the message became. It is durable then.
    /// - Throws: ``ProgramError``.
    package static func put(
        from input: CInt, _ envelope: Envelope, queueID: String?, into queue: MaildirDelivery.Destination,
        spool: String
    ) throws(ProgramError) -> EntryID {
        do {
            let delivery = try MaildirDelivery(spool: spool, queue: queue)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
            defer { buffer.deallocate() }
            var block: OctetString?
            while case let count = try read(input, into: buffer), count > 0 {
                let chunk = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                if block == nil {
                    // The first line shows the convention of the file, which the block follows.
                    let made = EnvelopeBlock(envelope: envelope, entry: "\(delivery.entry)", queueID: queueID)
                        .rendered(lineEnd: endsLinesWithLF(chunk) ? .lf : .crlf)
                    try delivery.write(made)
                    block = made
                }
                try delivery.write(chunk)
            }
            guard let block else {
                throw ProgramError(.badInput, "standard input is empty: no message was put into the spool")
            }
            let entry = delivery.entry
            _ = try delivery.commit(envelopeOctets: block.count)
            return entry
        } catch let error as SpoolError {
            throw ProgramError(.tryAgain, error.description)
        } catch let error as ProgramError {
            throw error
        } catch {
            throw ProgramError(.tryAgain, "the message could not be put into the spool: \(error)")
        }
    }

    private static func read(_ input: CInt, into buffer: UnsafeMutableRawBufferPointer) throws(ProgramError) -> Int {
        while true {
            let count = Glibc.read(input, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else {
                throw ProgramError(.tryAgain, "standard input cannot be read: \(String(cString: strerror(errno)))")
            }
        }
    }

    private static func endsLinesWithLF(_ chunk: UnsafeRawBufferPointer) -> Bool {
        guard let end = chunk.firstOffset(of: 0x0A) else { return false }
        return end == 0 || chunk[end - 1] != 0x0D
    }
}
