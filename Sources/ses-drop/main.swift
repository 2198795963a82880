import Glibc
import MailDrop

exit(DropCommand.run(CommandLine.arguments.dropFirst(), called: "ses-drop"))
