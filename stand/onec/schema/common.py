"""Parts of the notation that several configurations share: they come from the same library of subsystems (БСП).

Confirmed by vendor code (БСП 3.1.12): the fields of a task, a planned interaction, contact information, currencies,
their rates, users; the order of a task's fields is that of a public client. The exchange plan is one that an
installation adds for OData.
"""

CONTACTS = """\
  +КонтактнаяИнформация
      Тип:e Вид_Key:g Представление:s500 ЗначенияПолей:t Страна:s100 Регион:s50 Город:s50 АдресЭП:s100
      ДоменноеИмяСервера:s100 НомерТелефона:s20 НомерТелефонаБезКодов:s20 ДействуетС:d Значение:t"""

TASK = """\
Task_ЗадачаИсполнителя
    Ref_Key:g DataVersion:s DeletionMark:b Number:f14 Date:d BusinessProcess:* RoutePoint:* Description:s150 Executed:b
    Автор:*Catalog_Пользователи Важность:e ГруппаИсполнителейЗадач_Key:g ДатаИсполнения:d ДатаНачала:d
    ДатаПринятияКИсполнению:d Описание:t Предмет:*{subjects} ПредметСтрокой:s500 ПринятаКИсполнению:b
    РезультатВыполнения:t СостояниеБизнесПроцесса:e СрокИсполнения:d АвторСтрокой:s150 ДополнительныйОбъектАдресации:*
    Исполнитель:*Catalog_Пользователи ОсновнойОбъектАдресации:* РольИсполнителя_Key:g
"""

CURRENCIES = """\
Catalog_Валюты
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s10 Code:f3 DeletionMark:b
    ЗагружаетсяИзИнтернета:b НаименованиеПолное:s50 Наценка:n ОсновнаяВалюта_Key:@Catalog_Валюты ПараметрыПрописи:s200
    СпособУстановкиКурса:e ФормулаРасчетаКурса:s100

InformationRegister_КурсыВалют independent
  dim
      Валюта_Key:@Catalog_Валюты
  res
      Курс:n Кратность:i64
"""

CONTACT_KINDS = """\
Catalog_ВидыКонтактнойИнформации
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s150
    Parent_Key:@Catalog_ВидыКонтактнойИнформации IsFolder:b DeletionMark:b Тип:e Используется:b
    РазрешитьВводНесколькихЗначений:b РеквизитДопУпорядочивания:i64
  ? ИмяПредопределенногоВида:s150
"""

USERS = f"""\
Catalog_Пользователи
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 DeletionMark:b
    ИдентификаторПользователяИБ:g Комментарий:t Недействителен:b Подготовлен:b Подразделение_Key:g Служебный:b
    ФизическоеЛицо_Key:g
{CONTACTS}
"""

PLANNED = """\
Document_ЗапланированноеВзаимодействие
    Ref_Key:g DataVersion:s Number:s11 Date:d DeletionMark:b Posted:b Автор_Key:@Catalog_Пользователи Важность:e
    Описание:t
    Ответственный_Key:@Catalog_Пользователи СписокУчастников:s1024
    ВзаимодействиеОснование:*Document_ЗапланированноеВзаимодействие Тема:s1024 Комментарий:t
  +Участники
      Контакт:*{contacts} ПредставлениеКонтакта:s100 КакСвязаться:s100
"""

PLAN = """\
ExchangePlan_ДляODATA
    Ref_Key:g Code:s11 Description:s100 DataVersion:s DeletionMark:b SentNo:i64 ReceivedNo:i64 ExchangeDate:d
"""
